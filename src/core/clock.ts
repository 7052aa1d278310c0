/**
 * Time as a dependency, so that timers and ages can be tested without waiting.
 * `now` is wall-clock milliseconds since 1970; `monotonic` is milliseconds from an arbitrary start that never jumps.
 */
export interface Clock {
  now(): number;
  monotonic(): number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** The day of this machine's calendar at a time in ms since 1970, as YYYY-MM-DD. */
export function localDay(time: number): string {
  return utcDay(time - new Date(time).getTimezoneOffset() * MINUTE_MS);
}

/** The first of the given number of days that end with today. */
export function firstOfDays(days: number, now: number): string {
  const noon = new Date(now).setHours(12, 0, 0, 0); // a day around a clock change has 23 or 25 hours
  return localDay(noon - (days - 1) * DAY_MS);
}

/** The last day that was asked for, in days since 1970: nearly always it is asked for again. */
let latest = { day: 0, text: '1970-01-01' };

/** The UTC day of a moment as `2026-11-20`. */
export function utcDay(at: number): string {
  const day = Math.floor(at / DAY_MS);
  if (day !== latest.day) latest = { day, text: new Date(at).toISOString().slice(0, 10) };
  return latest.text;
}
