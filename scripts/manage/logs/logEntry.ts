import { asString, type JsonObject, parseObject } from '../../../src/core/json.ts';

/** One line of an instance's log. */
export interface LogEntry {
  readonly instance: string;
  /** As it stands in the file. */
  readonly line: string;
  /** Undefined for a line that is not ours. */
  readonly record: JsonObject | undefined;
  /** ISO 8601 in UTC, which sorts as text; empty when the line does not say. */
  readonly time: string;
}

/** Which lines are wanted. */
export interface LogFilter {
  /** Only failed requests, warnings and errors. */
  readonly errorsOnly: boolean;
  /** Only what was written since then, in ms since 1970; undefined for everything. */
  readonly since: number | undefined;
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

/** Whether a line was written before the time from which on lines are wanted; one that does not say was not. */
export function isTooOld({ time }: LogEntry, { since }: LogFilter): boolean {
  return since !== undefined && time !== '' && Date.parse(time) < since;
}

export function isWanted(entry: LogEntry, filter: LogFilter): boolean {
  return !isTooOld(entry, filter) && (!filter.errorsOnly || isTrouble(entry));
}

/** For sorting: the earlier first. */
export function byTime(a: LogEntry, b: LogEntry): number {
  if (a.time === b.time) return 0;
  return a.time < b.time ? -1 : 1;
}

/** Gives lines of one log that do not tell their time that of the line before, behind which they stay in a sorted list. */
export function inheritTimes(entries: readonly LogEntry[]): LogEntry[] {
  let time = '';
  return entries.map((entry) => {
    time = entry.time || time;
    return { ...entry, time };
  });
}
