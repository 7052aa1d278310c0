import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { Config } from './config.ts';
import type { Report } from './diagnostics.ts';
import type { Choices, Variable } from './env/variables.ts';
import { type Files, type FoundFile, readErrorCode } from './files.ts';
import type { ReadSecretFile } from './secrets.ts';

/** A file that an instance may have beside its env file. */
export interface SideFile {
  /** The key that names it. */
  readonly key: 'MODELS_FILE' | 'PROVIDERS_FILE';
  /** Names under which it is found without the key. */
  readonly names: readonly string[];
  /** Completes "a ... file". */
  readonly what: string;
}

/** Such a file has a few thousand lines at most; anything larger is another file given by mistake. */
const MAX_LENGTH = 1_048_576;

/** The file that its key names, else the one under a usual name; undefined where there is none, or where it cannot be read, which is told. */
export function findSideFile(
  { key, names, what }: SideFile,
  choices: Choices,
  files: Files,
  report: Report,
): FoundFile | undefined {
  const choice = choices.get(key);
  try {
    const found = choice === undefined ? files.findBeside(names) : { file: choice.value, ...files.read(choice.value) };
    if (found === undefined || found.text.length <= MAX_LENGTH) return found;
    report.error(
      choice ?? { key },
      `${found.text.length} characters in ${found.file}`,
      `Give the path of a ${what} file; this one is too large.`,
    );
  } catch (error) {
    const file = choice === undefined ? `a ${what} file beside the env file` : `the file "${choice.value}"`;
    report.error(
      choice ?? { key },
      `${file}, which cannot be read (${readErrorCode(error)})`,
      'Give the path of a readable file; a relative one starts from the project.',
    );
  }
  return undefined;
}

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
