import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/**
 * Does something that makes a file, and where its folder is missing, makes that first. Not the other way round: an instance may
 * write its files in a folder without having the right to make the folder (src/permissions/).
 * @throws what the work throws
 */
export function inFolder<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    if (codeOf(error) !== 'ERR_ACCESS_DENIED') throw error;
    throw new Error(`${folder} is gone; a restart makes it again`);
  }
  return work();
}
