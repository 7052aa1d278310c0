import { execFile } from 'node:child_process';

const TIMEOUT_MS = 20_000;
const MAX_BYTES = 10_000_000;

/**
 * What a program prints to stdout, without line ends around it, whatever its exit status; undefined when it cannot be run or
 * takes too long.
 */
export function printedBy(program: string, words: readonly string[], directory?: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { timeout: TIMEOUT_MS, maxBuffer: MAX_BYTES, cwd: directory };
    const child = execFile(program, words, options, (error, stdout) => {
      const hasEnded = error === null || typeof error.code === 'number';
      resolve(hasEnded ? stdout.trim() : undefined);
    });
    child.stdin?.end();
  });
}
