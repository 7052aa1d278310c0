import { closeSync, openSync, readSync, statSync, truncateSync } from 'node:fs';

/** What instances write to stdout and stderr goes through PM2 into logs/NAME/console.log; these are the ways to it. */

const MAX_BYTES = 1_000_000;
const MAX_READ_BYTES = 64_000;

/** Size in bytes; 0 when there is no such file. */
export function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Empties the file when it has become large. PM2 keeps it open for appending, which goes on at the new end. */
export function emptyWhenLarge(file: string): void {
  if (sizeOf(file) > MAX_BYTES) truncateSync(file);
}

/** The last lines that were written after the file had the given size. */
export function readLinesSince(file: string, offset: number, count: number): string[] {
  const size = sizeOf(file);
  const start = Math.max(size < offset ? 0 : offset, size - MAX_READ_BYTES);
  const buffer = Buffer.alloc(size - start);
  if (buffer.length === 0) return [];
  const descriptor = openSync(file, 'r');
  try {
    const length = readSync(descriptor, buffer, 0, buffer.length, start);
    const lines = buffer.toString('utf8', 0, length).split(/\r?\n/);
    return lines.filter((line) => line.trim() !== '').slice(-count);
  } finally {
    closeSync(descriptor);
  }
}
