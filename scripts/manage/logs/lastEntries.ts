import { open } from 'node:fs/promises';
import { inheritTimes, isTooOld, isWanted, type LogEntry, type LogFilter, readEntry } from './logEntry.ts';
import type { OpenLog } from './openLog.ts';
import { readBackwards } from './readBackwards.ts';
import { isPlain, lastWrittenAt, readRotated } from './rotatedFiles.ts';
import { splitLines } from './splitLines.ts';

/** The last wanted lines of a log, oldest first, at most `count`. Read from the end, file by file, until there are enough. */
export async function lastEntries(log: OpenLog, count: number, filter: LogFilter): Promise<LogEntry[]> {
  const { instance, active, end } = log;
  let found = active === undefined ? [] : await lastOf(readBackwards(active, end), instance, count, filter);
  for (const path of log.rotated.toReversed()) {
    if (found.length >= count || (await lastWrittenAt(path)) < (filter.since ?? 0)) break;
    found = [...(await lastOfRotated(path, instance, count - found.length, filter)), ...found];
  }
  return found;
}

async function lastOf(
  backwards: AsyncIterable<string>,
  instance: string,
  count: number,
  filter: LogFilter,
): Promise<LogEntry[]> {
  const found: LogEntry[] = [];
  if (count === 0) return found;
  for await (const line of backwards) {
    const entry = readEntry(instance, line);
    if (isTooOld(entry, filter)) break;
    if (isWanted(entry, filter) && found.push(entry) === count) break;
  }
  return inheritTimes(found.reverse());
}

async function lastOfRotated(path: string, instance: string, count: number, filter: LogFilter): Promise<LogEntry[]> {
  if (await isPlain(path)) {
    const handle = await open(path, 'r');
    try {
      return await lastOf(readBackwards(handle, (await handle.stat()).size), instance, count, filter);
    } finally {
      await handle.close();
    }
  }
  const found: LogEntry[] = [];
  for await (const line of splitLines(readRotated(path))) {
    const entry = readEntry(instance, line);
    if (!isWanted(entry, filter)) continue;
    found.push(entry);
    // Not at each line, as that would move all the others each time.
    if (found.length >= 2 * count) found.splice(0, found.length - count);
  }
  return inheritTimes(found.slice(-count));
}
