import { chmodSync } from 'node:fs';
import { relative } from 'node:path';
import type { Problem, ProviderKey } from '../../../../src/config/config.ts';
import { describeIgnoredEnvFiles } from '../../ignoredEnvFiles.ts';
import { envFile, type Instance } from '../../instances.ts';
import { type Finding, fail, ok, warn } from '../finding.ts';
import type { Subject } from '../subject.ts';

const CHECK = 'env file';
const OWNER_ONLY = 0o600;

const KEYS: Readonly<Record<ProviderKey['source'], string>> = {
  file: 'with a key',
  environment: 'its key from the environment',
  'secret file': 'its key in a file of its own',
  'providers file': 'its key in the providers file',
  client: 'without a key, so that the client’s own is passed on',
  none: 'no key needed',
};

/** Whether the env files can be used, are for their owner's eyes only, and have a key. */
export function checkEnvFiles({ root, all, observations }: Subject): Finding[] {
  if (all.length === 0) return [warn(CHECK, 'there is none yet', { remedy: './manage init, or ./manage start all' })];
  return [
    ...observations.flatMap(({ instance }) => [
      ...checkFile(root, instance),
      ...instance.problems.map((problem) => describeProblem(instance, problem)),
    ]),
    ...describeIgnoredEnvFiles(root, all).map((line) => warn(CHECK, line, { remedy: 'rename it' })),
  ];
}

function checkFile(root: string, { name, app, config, problems }: Instance): Finding[] {
  if (config === undefined || problems.length > 0) return [];
  const { port, provider } = config;
  return [
    ok(
      CHECK,
      `${relative(root, app.args[1])}: ${provider.preset.title}, port ${port}, ${KEYS[provider.key.source]}`,
      name,
    ),
  ];
}

function describeProblem(instance: Instance, { file, line, key, found, fix, severity }: Problem): Finding {
  const place = line === undefined ? file : `${file}:${line}`;
  const further = { instance: instance.name, remedy: fix.replace(/^Run: /, '') };
  if (severity === 'error') return fail(CHECK, `${place}  ${key}: found ${found}`, further);
  const problem = warn(CHECK, `${place}  ${key}: found ${found}`, further);
  // The only warning about the file itself is the one that others may read it.
  if (key !== 'file') return problem;
  const run = () => chmodSync(envFile(instance), OWNER_ONLY);
  return { ...problem, fix: { words: `chmod 600 ${file}`, run } };
}
