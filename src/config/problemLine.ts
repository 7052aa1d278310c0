import type { Problem } from './config.ts';

/** A problem in one line, for a log: where it is, what was found, how to mend it. */
export function problemLine({ file, line, key, found, fix }: Problem): string {
  return `${line === undefined ? file : `${file}:${line}`} ${key}: found ${found}. ${fix}`;
}
