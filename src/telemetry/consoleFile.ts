import { statSync, truncateSync } from 'node:fs';

const LIMIT_BYTES = 1_000_000;
const CHECK_MS = 3_600_000;

/**
 * Keeps the file small into which the process manager writes this process's output: it has no limit of its own, and appends,
 * so that emptying the file is safe. The few lines that go there are in the rotated log as well.
 */
export function boundConsoleFile(path: string): { close(): void } {
  const check = () => {
    try {
      if (statSync(path).size > LIMIT_BYTES) truncateSync(path);
    } catch {
      // There is no such file when nobody redirects the output.
    }
  };
  check();
  const timer = setInterval(check, CHECK_MS).unref();
  return { close: () => clearInterval(timer) };
}
