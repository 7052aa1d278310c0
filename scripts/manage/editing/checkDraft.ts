import { resolve } from 'node:path';
import type { Problem } from '../../../src/config/config.ts';
import { configFromText } from '../../../src/config/load.ts';
import type { Instance } from '../instances.ts';
import { findPortClashes } from '../portClashes.ts';

/** What is wrong with a new text for the env file of one of the instances, beside the env files of the others. */
export function checkDraft(
  root: string,
  instances: readonly Instance[],
  name: string,
  text: string,
): readonly Problem[] {
  const file = `envs/${name}.env`;
  const own = instances.find((instance) => instance.name === name);
  const { config, problems } = configFromText(file, text, own?.app.env ?? {}, root);
  if (config === undefined) return problems;
  const others = instances.filter((instance) => instance.name !== name).flatMap((other) => other.config ?? []);
  // The line of the port stands in the draft; the file on the disk has the old one.
  const clashes = findPortClashes(root, [config, ...others]).filter(
    (problem) => resolve(root, problem.file) === own?.app.args[1],
  );
  return [...problems, ...clashes.map(({ line: _line, ...problem }) => problem)];
}
