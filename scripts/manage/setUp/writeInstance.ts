import { join } from 'node:path';
import { formatProblems } from '../../../src/config/describe.ts';
import { configFromText } from '../../../src/config/load.ts';
import type { Context } from '../context.ts';
import { replaceFile } from '../editing/replaceFile.ts';
import { exitCodes, Failure } from '../exitCodes.ts';
import { envPath } from './instanceNames.ts';
import { envText } from './newInstance.ts';
import type { PlannedInstance } from './planInstance.ts';
import { createPrivateFile, OWNER_ONLY } from './privateFile.ts';

/**
 * Writes the env file of a new instance, after the same check that its start would make.
 * @returns what was done, in a sentence
 * @throws Failure (configuration) when it could not start with it; then nothing is written.
 */
export function writeInstance({ root, output }: Context, instance: PlannedInstance): string {
  const file = envPath(instance.name);
  const text = envText(instance);
  const { config, problems } = configFromText(file, text, {}, root);
  if (config === undefined) {
    throw new Failure(`${formatProblems(problems)}\n${file} was not written`, exitCodes.configuration);
  }
  if (instance.isThere) replaceFile(join(root, file), text, OWNER_ONLY);
  else createPrivateFile(join(root, file), file, text);
  if (problems.length > 0) output.say(formatProblems(problems));
  return `${instance.isThere ? 'Filled in' : 'Made'} ${file} for ${instance.preset.title} on port ${instance.port}.`;
}
