const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const SPAN = /^(?<count>\d+)(?<unit>[smhdw])$/;
const MOMENT = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;

/** What `--since` takes, in words. */
export const SINCE_FORMS = 'a span like 30m, 2h or 1d, or a time like 2026-11-20T09:00';

/**
 * The moment that the user means, in ms since 1970: a span before `now`, or a date and time, of this machine's time zone unless it
 * names another. Undefined when it is neither.
 */
export function parseSince(text: string, now: number): number | undefined {
  const { count, unit } = SPAN.exec(text)?.groups ?? {};
  if (count !== undefined) return now - Number(count) * UNITS[unit as keyof typeof UNITS];
  if (!MOMENT.test(text)) return undefined;
  // JavaScript takes a date alone as one of UTC.
  const time = Date.parse(text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T'));
  return Number.isNaN(time) ? undefined : time;
}
