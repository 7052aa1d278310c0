import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { Config } from './config.ts';
import { readErrorCode } from './files.ts';
import type { ReadSecretFile } from './findSecret.ts';
import type { Report } from './report.ts';
import type { Variable } from './variables.ts';

/** The file that HOOKS_FILE names; undefined where there is no such line or the file cannot be read, which is told. */
export function findHooksFile(
  choice: Variable | undefined,
  directory: string,
  readFile: ReadSecretFile,
  report: Report,
): Config['hooks'] {
  if (choice === undefined || choice.value === '') return undefined;
  try {
    const digest = createHash('sha256').update(readFile(choice.value)).digest('hex');
    return { file: resolve(directory, choice.value), digest };
  } catch (error) {
    const found = `the file "${choice.value}", which cannot be read (${readErrorCode(error)})`;
    report.error(choice, found, 'Give the path of a readable file; a relative one starts from the project.');
    return undefined;
  }
}
