import { chmodSync, mkdirSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isObject, type JsonObject } from '../../../src/core/json.ts';
import { Failure } from '../exitCodes.ts';

const NEW_FILE_MODE = 0o600;

/** The file of a project's own settings, which Claude Code keeps out of git. */
export function projectFile(directory: string): string {
  return join(directory, '.claude', 'settings.local.json');
}

/** Its text; undefined when there is none. */
export function readProjectFile(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new Failure(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** @throws Failure when the text is not a JSON object, which is then left as it is. */
export function parseSettings(file: string, text: string | undefined): JsonObject {
  if (text === undefined || text.trim() === '') return {};
  try {
    const settings: unknown = JSON.parse(text);
    if (isObject(settings)) return settings;
  } catch (error) {
    throw new Failure(`${file} is not JSON (${(error as Error).message}); mend it first, nothing is changed`);
  }
  throw new Failure(`${file} is not a JSON object; mend it first, nothing is changed`);
}

/** Puts the text in place in one step, with the mode that the file has; a new one is for the user only. */
export function writeProjectFile(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const mode = statSync(file, { throwIfNoEntry: false })?.mode;
  const target = mode === undefined ? file : realpathSync(file);
  const temporary = `${target}.${process.pid}.new`;
  writeFileSync(temporary, text, { mode: NEW_FILE_MODE });
  if (mode !== undefined) chmodSync(temporary, mode & 0o777);
  renameSync(temporary, target);
}
