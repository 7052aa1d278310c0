import { dirname, join, resolve } from 'node:path';

export interface FileText {
  readonly text: string;
  /** Permission bits such as `644`, where other users may read the file. */
  readonly openMode?: string;
}

/** Gives the file at an absolute path, or throws an error whose `code` says why not. */
export type ReadFile = (path: string) => FileText;

/** A file that lies where it is looked for. */
export interface FoundFile extends FileText {
  /** Its path as problems show it. */
  readonly file: string;
}

/** The files beyond the env file of which a configuration is made, by paths that start from its directory. */
export interface Files {
  /** @throws an error whose `code` says why the file cannot be read. */
  read(path: string): FileText;
  /** The first file of these names in the folder of the env file. @throws as `read`, but not where there is none. */
  findBeside(names: readonly string[]): FoundFile | undefined;
  /** Absolute paths of all that was looked for, also of what is not there, and of the env file. */
  asked(): readonly string[];
}

/** The codes of errors that mean that there is no such file. */
const MISSING = new Set(['ENOENT', 'ENOTDIR']);

/** What an error of reading says for itself, in a few words. */
export function readErrorCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
  // A running instance may read only the files that it was started with (PERMISSION_MODEL).
  return code === 'ERR_ACCESS_DENIED' ? 'not before a restart' : code;
}

/** Opens the way to the files of an env file, and notes what is asked for, so that all of it can be watched. */
export function createFiles(envFile: string, directory: string, readFile: ReadFile): Files {
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
        if (!MISSING.has(readErrorCode(error))) throw error;
      }
    }
    return undefined;
  }

  return { read, findBeside, asked: () => [...asked] };
}
