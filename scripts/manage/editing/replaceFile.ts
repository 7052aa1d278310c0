import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** Puts text in the place of a file in one step, so that nobody ever reads half of it. */
export function replaceFile(path: string, text: string, mode: number): void {
  const next = `${path}.new-${process.pid}`;
  try {
    const file = openSync(next, 'wx', mode);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(next, path);
  } catch (error) {
    rmSync(next, { force: true });
    throw error;
  }
}
