import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { formatProblems } from '../../config/diagnostics.ts';
import { createRedactor } from '../../core/secret.ts';
import { terminalSafe } from '../../core/text.ts';
import { type Context, callerDirectory, type Invocation } from '../command.ts';
import { createPrivateFile, envPath, portIn, portsOf } from '../envs/envFiles.ts';
import { isCopyOfExample } from '../envs/exampleFiles.ts';
import { type ExitCode, exitCodes, worstOf } from '../exitCodes.ts';
import { inspect, refuseOtherUsers } from '../supervisor/inspect.ts';
import { envFile, type Instance, loadInstances } from '../supervisor/instances.ts';
import { withManagerLock } from '../supervisor/lock.ts';
import { isStoppable, stopAll } from '../supervisor/processes.ts';
import { maskText, type PlannedFile, type UnsupportedSetting } from './envFile.ts';
import { checkImport, planImport } from './plan.ts';
import { scanPath } from './scan.ts';

/** The number in the `schema` field: changes when a program that reads the JSON has to. */
const SCHEMA = 1;

/** Takes over what other proxies have in the given places, or where the user is. */
export async function importSettings(context: Context, invocation: Invocation<'dryRun' | 'json'>): Promise<ExitCode> {
  const { root, output, environment } = context;
  const { names: paths, dryRun, json } = invocation;
  const directory = callerDirectory(environment);
  const instances = loadInstances(root);
  const untouched = instances.filter((instance) => isCopyOfExample(envFile(instance)));
  const usedPorts = portsOf(instances.filter((instance) => !untouched.includes(instance)));
  const planned: PlannedFile[] = [];
  const unsupported: UnsupportedSetting[] = [];
  for (const path of paths.length === 0 ? [directory] : paths) {
    const plan = await planImport(scanPath(resolve(directory, path)), { directory, usedPorts });
    planned.push(...plan.files);
    unsupported.push(...plan.unsupported);
  }

  const replaced = examplesInTheWay(untouched, planned);
  const replacedPaths = replaced.map(({ name }) => envPath(name));
  const { files, codes } = withoutPresent(context, planned, replacedPaths);
  const { problems, secrets } = checkImport(root, files);
  if (problems.some(({ severity }) => severity === 'error')) codes.push(exitCodes.configuration);
  if (!dryRun && replaced.length > 0) await removeExamples(context, invocation, replaced);
  if (!dryRun) for (const { path, text } of files) createPrivateFile(join(root, path), path, text);

  const redact = createRedactor(secrets);
  const harmless = (text: string) => redact(text).split('\n').map(terminalSafe).join('\n');
  if (json) {
    const shown = files.map(({ path, source }) => ({ path, source }));
    output.print(
      JSON.stringify({ schema: SCHEMA, dry_run: dryRun, files: shown, remarks: unsupported, problems }, undefined, 2),
    );
    return worstOf(codes);
  }
  for (const { path, source, text } of files) {
    output.print(`${output.paint('bold', path)}  (from ${harmless(source)})`);
    if (dryRun) output.print(harmless(maskText(text).trimEnd().replaceAll(/^/gm, '    ')));
  }
  if (replaced.length > 0)
    output.say(
      `${dryRun ? 'Would replace' : 'Replaced'} ${replacedPaths.join(', ')}: a copy of the example, as it was.`,
    );
  if (unsupported.length > 0)
    output.say(['Not carried over as it was:', ...unsupported.map(describe)].map(harmless).join('\n'));
  if (problems.length > 0)
    output.complain(`What the new files say of themselves:\n${harmless(formatProblems(problems))}`);
  const count = `${files.length} file${files.length === 1 ? '' : 's'}`;
  if (dryRun) output.say(`Would write ${count}; nothing is written.`);
  else output.say(`Wrote ${count}. Look at them with ./manage list, stop the old proxies, then: ./manage start all`);
  return worstOf(codes);
}

function describe({ source, line, setting, reason }: UnsupportedSetting): string {
  return `  ${line === undefined ? source : `${source}:${line}`}  ${setting}: ${reason}`;
}

/** The copies of examples, in which nobody has written, that have the path or the port of a planned instance. */
function examplesInTheWay(untouched: readonly Instance[], planned: readonly PlannedFile[]): Instance[] {
  const instances = planned.filter(({ path }) => path.endsWith('.env'));
  return untouched.filter((example) => {
    const ports = portsOf([example]);
    return instances.some(({ path, text }) => path === envPath(example.name) || ports.has(portIn(text) ?? 0));
  });
}

/** Stops the instances of examples and removes their env files, so that their names and ports are free. */
function removeExamples(context: Context, invocation: Invocation, examples: readonly Instance[]): Promise<void> {
  return withManagerLock(context, invocation, async () => {
    const inspections = await inspect(await context.pm2.list(), examples);
    refuseOtherUsers(inspections);
    await stopAll(context, inspections.filter(isStoppable));
    for (const example of examples) rmSync(envFile(example));
  });
}

/** The files that are not there yet. One that is there with the same text needs nothing; another one is left as it is, and reported. */
function withoutPresent({ root, output }: Context, planned: readonly PlannedFile[], replaced: readonly string[]) {
  const codes: ExitCode[] = [];
  const files = planned.filter(({ path, source, text }, index) => {
    const isFirst = planned.findIndex((other) => other.path === path) === index;
    const isThere = existsSync(join(root, path)) && !replaced.includes(path);
    const present = isThere ? readFileSync(join(root, path), 'utf8') : undefined;
    if (isFirst && present === undefined) return true;
    if (present === text) return false;
    output.complain(`${path} is there already and is left as it is; ${source} was not taken over`);
    codes.push(exitCodes.failed);
    return false;
  });
  return { files, codes };
}
