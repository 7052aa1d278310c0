import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure } from '../exitCodes.ts';

export const OWNER_ONLY = 0o600;
const OWNER_ONLY_FOLDER = 0o700;

/**
 * Writes a new file that only its owner may read; a missing folder is made so, too.
 * @param shown The path as the user knows it.
 * @throws Failure when there is a file already, which is left as it is.
 */
export function createPrivateFile(path: string, shown: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: OWNER_ONLY_FOLDER });
  try {
    writeFileSync(path, text, { mode: OWNER_ONLY, flag: 'wx' });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') throw new Failure(`${shown} is there already; it is left as it is`);
    // What a full disk has left behind would be taken for a whole file.
    if (code === 'ENOSPC') rmSync(path, { force: true });
    throw error;
  }
}
