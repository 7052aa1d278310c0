import { isWanted, type LogEntry, type LogFilter, readEntry } from './logEntry.ts';
import type { OpenLog } from './openLog.ts';
import { lastWrittenAt, readRotated } from './rotatedFiles.ts';
import { splitLines } from './splitLines.ts';

/** Every wanted line of a log, oldest first, as a stream: logs may be larger than the memory. */
export async function* entriesSince(log: OpenLog, filter: LogFilter): AsyncGenerator<LogEntry> {
  for await (const line of linesSince(log, filter.since ?? 0)) {
    const entry = readEntry(log.instance, line);
    if (isWanted(entry, filter)) yield entry;
  }
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
