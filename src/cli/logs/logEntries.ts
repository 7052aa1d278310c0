import { open } from 'node:fs/promises';
import { asString, type JsonObject, parseObject } from '../../core/json.ts';
import { isPlain, lastWrittenAt, type OpenLog, readBackwards, readRotated, splitLines } from './logFiles.ts';

/** One line of an instance's log. */
export interface LogEntry {
  readonly instance: string;
  /** As it stands in the file. */
  readonly line: string;
  /** Undefined for a line that is not ours. */
  readonly record: JsonObject | undefined;
  /** ISO 8601 in UTC, which sorts as text; empty when the line has none. */
  readonly time: string;
}

/** Which lines are wanted. */
export interface LogFilter {
  /** Only failed requests, warnings and errors. */
  readonly errorsOnly: boolean;
  /** Only what was written since then, in ms since 1970; undefined for everything. */
  readonly since: number | undefined;
  /** Only what belongs to the request of this id; undefined for everything. */
  readonly id?: string | undefined;
}

export function readEntry(instance: string, line: string): LogEntry {
  const record = parseObject(line);
  return { instance, line, record, time: asString(record?.['time']) ?? '' };
}

/** Whether something went wrong: a request without its answer, a warning or an error. A client that hangs up is no fault. */
export function isTrouble({ record }: LogEntry): boolean {
  return (
    ['warn', 'error', 'fatal'].includes(asString(record?.['level']) ?? '') ||
    ['error', 'interrupted', 'rejected'].includes(asString(record?.['outcome']) ?? '')
  );
}

/** Whether a line was written before the time from which on lines are wanted; one without a time was not. */
export function isTooOld({ time }: LogEntry, { since }: LogFilter): boolean {
  return since !== undefined && time !== '' && Date.parse(time) < since;
}

export function isWanted(entry: LogEntry, filter: LogFilter): boolean {
  if (isTooOld(entry, filter) || (filter.errorsOnly && !isTrouble(entry))) return false;
  return filter.id === undefined || [entry.record?.['id'], entry.record?.['upstream_request_id']].includes(filter.id);
}

/** For sorting: the earlier first. */
export function byTime(a: LogEntry, b: LogEntry): number {
  if (a.time === b.time) return 0;
  return a.time < b.time ? -1 : 1;
}

/** Gives lines of one log that have no time that of the line before, behind which they stay in a sorted list. */
export function inheritTimes(entries: readonly LogEntry[]): LogEntry[] {
  let time = '';
  return entries.map((entry) => {
    time = entry.time || time;
    return { ...entry, time };
  });
}

/** Every wanted line of a log, oldest first, as a stream: logs may be larger than the memory. */
export async function* entriesSince(log: OpenLog, filter: LogFilter): AsyncGenerator<LogEntry> {
  for await (const line of linesSince(log, filter.since ?? 0)) {
    const entry = readEntry(log.instance, line);
    if (isWanted(entry, filter)) yield entry;
  }
}

/** The line of one request, of which is known when it was written, in ms since 1970; undefined when its file is gone. */
export async function findEntry(log: OpenLog, id: string, time: number): Promise<LogEntry | undefined> {
  for await (const line of linesSince(log, time)) {
    if (!line.includes(id)) continue; // before it is parsed, as there are many
    const entry = readEntry(log.instance, line);
    if (entry.record?.['event'] === 'request' && entry.record['id'] === id && Date.parse(entry.time) === time) return entry;
  }
  return undefined;
}

async function* linesSince({ rotated, active, end }: OpenLog, since: number): AsyncGenerator<string> {
  for (const path of rotated) {
    if ((await lastWrittenAt(path)) >= since) yield* splitLines(readRotated(path));
  }
  // The file stays open, as it may be followed.
  if (active !== undefined && end > 0) {
    yield* splitLines(active.createReadStream({ start: 0, end: end - 1, autoClose: false }));
  }
}

/** Joins streams that are each in the order of time into one that is; a line without a time comes at once behind the line before. */
export async function* mergeByTime(sources: readonly AsyncGenerator<LogEntry>[]): AsyncGenerator<LogEntry> {
  const heads = await Promise.all(sources.map(async (source) => ({ source, next: await source.next() })));
  for (;;) {
    const [first, ...others] = heads.filter(({ next }) => next.done !== true);
    if (first === undefined) return;
    const earliest = others.reduce((best, head) => (timeOf(head) < timeOf(best) ? head : best), first);
    if (earliest.next.done !== true) yield earliest.next.value;
    earliest.next = await earliest.source.next();
  }
}

function timeOf({ next }: { readonly next: IteratorResult<LogEntry> }): string {
  return next.done === true ? '' : next.value.time;
}

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

/** The time of the first line of the oldest file of a log that is still there, in ms since 1970; undefined where there is none. */
export async function oldestTime(log: OpenLog): Promise<number | undefined> {
  for await (const line of linesSince(log, 0)) {
    const time = Date.parse(readEntry('', line).time);
    if (!Number.isNaN(time)) return time;
  }
  return undefined;
}

/** How many lines are handed over at once. */
const BATCH_LINES = 200;

/** The whole lines of the file that was being written, in batches, the latest first. */
export async function* readActiveBackwards({ active, end }: OpenLog): AsyncGenerator<readonly string[]> {
  if (active !== undefined) yield* inBatches(readBackwards(active, end));
}

/** The lines of the rotated files in batches, those of the latest file first. */
export async function* readRotatedBackwards({ rotated }: OpenLog): AsyncGenerator<readonly string[]> {
  for (const path of rotated.toReversed()) {
    const handle = await open(path, 'r').catch(() => undefined);
    if (handle === undefined || !(await isPlain(path))) {
      yield* inBatches(splitLines(readRotated(path)));
      await handle?.close();
      continue;
    }
    try {
      yield* inBatches(readBackwards(handle, (await handle.stat()).size));
    } finally {
      await handle.close();
    }
  }
}

async function* inBatches(lines: AsyncIterable<string>): AsyncGenerator<readonly string[]> {
  let batch: string[] = [];
  for await (const line of lines) {
    if (batch.push(line) < BATCH_LINES) continue;
    yield batch;
    batch = [];
  }
  yield batch;
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
