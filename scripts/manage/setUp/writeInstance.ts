import { join } from 'node:path';
import { formatProblems } from '../../../src/config/describe.ts';
import { configFromText } from '../../../src/config/envFile.ts';
import type { Context } from '../context.ts';
import { exitCodes, Failure } from '../exitCodes.ts';
import { envPath } from './instanceNames.ts';
import { envText, type NewInstance } from './newInstance.ts';
import { createPrivateFile } from './privateFile.ts';

/**
 * Writes the env file of a new instance, after the same check that its start would make.
 * @throws Failure (configuration) when it could not start with it; then nothing is written.
 */
export function writeInstance({ root, output }: Context, instance: NewInstance): void {
  const file = envPath(instance.name);
  const text = envText(instance);
  const { config, problems } = configFromText(file, text, {}, root);
  if (config === undefined) {
    throw new Failure(`${formatProblems(problems)}\n${file} was not written`, exitCodes.configuration);
  }
  createPrivateFile(join(root, file), file, text);
  if (problems.length > 0) output.say(formatProblems(problems));
}
