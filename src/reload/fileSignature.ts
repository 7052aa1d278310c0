import { statSync } from 'node:fs';

/**
 * What tells one state of a file from another without reading it; `-` when there is none or it cannot be looked at. Links are
 * followed, so that one that is turned to another file counts as a change. Not by a promise, whose way over other threads takes 55 µs of
 * processor time in place of 3 (measured), at each of several files four times a second.
 */
export function fileSignature(path: string): string {
  try {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? '-' : [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(':');
  } catch {
    return '-';
  }
}
