import { createHash, X509Certificate } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { type Diagnostics, showFile } from '../diagnostics.ts';
import type { Choices, Variable } from '../env/variables.ts';

export interface FileText {
  readonly text: string;
  /** Permission bits such as `644`, where other users may read the file. */
  readonly openMode?: string;
}

/** Gives the file at an absolute path, or throws an error whose `code` says why not. */
export type ReadFile = (path: string) => FileText;

/** Gives the text of a file by its path as the user wrote it, or throws an error whose `code` says why not. */
export type ReadText = (path: string) => string;

/** A file that lies where it is looked for. */
export interface FoundFile extends FileText {
  /** Its path as problems show it. */
  readonly file: string;
}

/** The files beside the env file of which a configuration is made. Relative paths start from the working directory. */
export interface CompanionFiles {
  /** @throws an error whose `code` says why the file cannot be read. */
  read(path: string): FileText;
  /** The first file of these names in the folder of the env file. @throws as `read`, but not where there is none. */
  findBeside(names: readonly string[]): FoundFile | undefined;
  /** Absolute paths of all that was looked for, also of what is not there, and of the env file. */
  asked(): readonly string[];
}

/** The codes of errors that mean that there is no such file. */
const MISSING = new Set(['ENOENT', 'ENOTDIR']);

/** Whether an error of reading says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return MISSING.has(readErrorCode(error));
}

/** Instead of a code: a running instance may read only the files that it was started with (PERMISSION_MODEL). */
const NOT_YET = 'not before a restart';

/** The code of an error of reading, for messages. */
export function readErrorCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
  return code === 'ERR_ACCESS_DENIED' ? NOT_YET : code;
}

/** What to do about a file that cannot be read. */
function howToRead(error: unknown): string {
  return readErrorCode(error) === NOT_YET
    ? 'Make new processes, which may read it: ./manage reload NAME'
    : 'Give the path of a readable file; a relative one starts from the project.';
}

/** Reads the files that belong to an env file, and notes every path that was looked for, so that all of them can be watched. */
export function createCompanionFiles(envFile: string, directory: string, readFile: ReadFile): CompanionFiles {
  const asked = new Set([resolve(directory, envFile)]);

  function read(path: string): FileText {
    const absolute = resolve(directory, path);
    asked.add(absolute);
    return readFile(absolute);
  }

  function findBeside(names: readonly string[]): FoundFile | undefined {
    const files = names.map((name) => join(dirname(envFile), name));
    for (const file of files) asked.add(resolve(directory, file));
    for (const file of files) {
      try {
        return { file, ...read(file) };
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
    return undefined;
  }

  return { read, findBeside, asked: () => [...asked] };
}

/** A file of a kind that an instance may have beside its env file. */
export interface CompanionFile {
  /** The setting that names it. */
  readonly setting: 'MODELS_FILE' | 'PROVIDERS_FILE';
  /** Names under which it is found without the setting. */
  readonly names: readonly string[];
  /** Completes "a ... file". */
  readonly what: string;
}

/** Such a file has a few thousand lines at most; anything larger is another file given by mistake. */
const MAX_LENGTH = 1_048_576;

/** The file that its setting names, else the one under a usual name; undefined where there is none or it cannot be read, which is reported. */
export function findCompanionFile(
  { setting, names, what }: CompanionFile,
  choices: Choices,
  files: CompanionFiles,
  diagnostics: Diagnostics,
): FoundFile | undefined {
  const choice = choices.get(setting);
  try {
    const found = choice === undefined ? files.findBeside(names) : { file: choice.value, ...files.read(choice.value) };
    if (found === undefined || found.text.length <= MAX_LENGTH) return found;
    diagnostics.error(
      choice ?? { name: setting },
      `${found.text.length} characters in ${found.file}`,
      `Give the path of a ${what} file; this one is too large.`,
    );
  } catch (error) {
    const file = choice === undefined ? `a ${what} file beside the env file` : showFile(choice.value);
    diagnostics.error(
      choice ?? { name: setting },
      `${file}, which cannot be read (${readErrorCode(error)})`,
      howToRead(error),
    );
  }
  return undefined;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The certificate as Node writes it; undefined when it is none. */
function normalizeCertificate(pem: string): string | undefined {
  try {
    return new X509Certificate(pem).toString();
  } catch {
    return undefined;
  }
}

/** The certificates of the file that CA_FILE names, in PEM; none where there is no such line or the file is wrong, which is reported. */
export function readCertificates(
  choice: Variable | undefined,
  readText: ReadText,
  diagnostics: Diagnostics,
): readonly string[] {
  if (choice === undefined) return [];
  const file = showFile(choice.value);
  let text: string;
  try {
    text = readText(choice.value);
  } catch (error) {
    diagnostics.error(choice, `${file}, which cannot be read (${readErrorCode(error)})`, howToRead(error));
    return [];
  }
  const written = text.match(CERTIFICATE) ?? [];
  const certificates = written.map(normalizeCertificate).filter((pem) => pem !== undefined);
  if (written.length > 0 && certificates.length === written.length) return certificates;
  diagnostics.error(
    choice,
    `${file}, which holds ${written.length === 0 ? 'no certificate in PEM' : 'a broken certificate'}`,
    'Give a file with -----BEGIN CERTIFICATE-----. From DER: openssl x509 -inform der -in FILE -out FILE.pem',
  );
  return [];
}

/** The file that HOOKS_FILE names; undefined where there is no such line or the file cannot be read, which is reported. */
export function findHooksFile(
  choice: Variable | undefined,
  directory: string,
  readText: ReadText,
  diagnostics: Diagnostics,
): Config['hooks'] {
  if (choice === undefined || choice.value === '') return undefined;
  try {
    const digest = createHash('sha256').update(readText(choice.value)).digest('hex');
    return { file: resolve(directory, choice.value), digest };
  } catch (error) {
    const found = `${showFile(choice.value)}, which cannot be read (${readErrorCode(error)})`;
    diagnostics.error(choice, found, howToRead(error));
    return undefined;
  }
}
