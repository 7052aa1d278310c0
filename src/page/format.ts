import { terminalSafe } from '../core/text.ts';

/**
 * Numbers, times and names as the reader writes them: in the form of the browser's language and in the reader's zone. All are pure
 * but for that language; what is unknown or absent is `–`, and an unknown cost `?`.
 */
export const NOTHING = '–';

/** Formatters are costly to make and cheap to use. */
export interface Format {
  /** `12,345`. */
  count(value: number | null | undefined): string;
  /** `12.3K`: where a column has to stay narrow. */
  compact(value: number | null | undefined): string;
  /** `$1.2345`; `?` when the price of it is unknown. */
  money(dollars: number | null | undefined, digits?: number): string;
  /** What a group cost of which some requests have no price: `$1.23 + ?`. */
  partlyKnownMoney(dollars: number | null, unpriced: number): string;
  /** `37 %` of a share between 0 and 1. */
  percent(share: number | null | undefined): string;
  /** Per second: `0.02`, `1.5`, `120`. */
  rate(value: number | null | undefined): string;
  /** `456 ms`, `1.23 s`, `45.6 s`, `3 min 5 s`. */
  duration(milliseconds: number | null | undefined): string;
  /** `14:03:59` of today, with the day before it for any other day. */
  time(moment: string | number | null | undefined, now: number): string;
  /** The whole of it: `30 Nov 2026, 14:03:59`. */
  moment(moment: string | number | null | undefined): string;
  /** A day of the calendar, `2026-11-30`, in short: `30 Nov`; with the year for those of another one. */
  day(day: string, year?: number): string;
  /** Of a day that stands for its month: `Nov 2026`. */
  month(day: string): string;
  /** How much more or less than before, as a share: `+12 %`; nothing to compare with is `–`. */
  change(now: number | null, before: number | null): string;
}

export function createFormat(language?: string): Format {
  const numbers = (options: Intl.NumberFormatOptions = {}) => new Intl.NumberFormat(language, options);
  const whole = numbers({ maximumFractionDigits: 0 });
  const short = numbers({ notation: 'compact', maximumSignificantDigits: 3 });
  const share = numbers({ style: 'percent', maximumFractionDigits: 0 });
  const decimals = [0, 1, 2].map((digits) => numbers({ minimumFractionDigits: digits, maximumFractionDigits: digits }));
  const dollars = new Map<number, Intl.NumberFormat>();
  const clock = new Intl.DateTimeFormat(language, { timeStyle: 'medium' });
  const dayAndClock = new Intl.DateTimeFormat(language, {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  });
  const complete = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' });
  // A day of the calendar has no zone.
  const calendar = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(language, { ...options, timeZone: 'UTC' });
  const calendarDay = calendar({ day: 'numeric', month: 'short' });
  const calendarDayAndYear = calendar({ day: 'numeric', month: 'short', year: 'numeric' });
  const calendarMonth = calendar({ month: 'short', year: 'numeric' });
  const signedShare = numbers({ style: 'percent', maximumFractionDigits: 0, signDisplay: 'exceptZero' });
  const fixed = (value: number, digits: 0 | 1 | 2) => (decimals[digits] ?? whole).format(value);

  const known =
    <Value>(write: (value: Value) => string) =>
    (value: Value | null | undefined) =>
      value == null ? NOTHING : write(value);
  const money = (value: number | null | undefined, digits = 4): string => {
    if (value == null) return '?';
    const formatter =
      dollars.get(digits) ??
      numbers({
        style: 'currency',
        currency: 'USD',
        currencyDisplay: 'narrowSymbol',
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      });
    dollars.set(digits, formatter);
    return formatter.format(value);
  };
  return {
    count: known((value: number) => whole.format(value)),
    compact: known((value: number) => (value < 10_000 ? whole.format(value) : short.format(value))),
    money,
    partlyKnownMoney(value, unpriced) {
      if (value === null) return '?';
      return unpriced === 0 ? money(value, 2) : `${money(value, 2)} + ?`;
    },
    percent: known((value: number) => share.format(value)),
    rate: known((value: number) => fixed(value, value === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2)),
    duration: known((value: number) => {
      if (value < 1000) return `${fixed(value, 0)} ms`;
      const seconds = value / 1000;
      if (seconds < 9.995) return `${fixed(seconds, 2)} s`;
      if (seconds < 59.95) return `${fixed(seconds, 1)} s`;
      const rounded = Math.round(seconds);
      if (rounded < 3600) return `${Math.floor(rounded / 60)} min ${rounded % 60} s`;
      const minutes = Math.round(rounded / 60);
      if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
      return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
    }),
    time(moment, now) {
      const date = dateOf(moment);
      if (date === undefined) return NOTHING;
      const isToday = date.toDateString() === new Date(now).toDateString();
      return isToday ? clock.format(date) : dayAndClock.format(date);
    },
    moment(moment) {
      const date = dateOf(moment);
      return date === undefined ? NOTHING : complete.format(date);
    },
    day(day, year) {
      const date = dateOf(`${day}T00:00:00Z`);
      if (date === undefined) return day;
      return (date.getUTCFullYear() === (year ?? date.getUTCFullYear()) ? calendarDay : calendarDayAndYear).format(
        date,
      );
    },
    month(day) {
      const date = dateOf(`${day}T00:00:00Z`);
      return date === undefined ? day : calendarMonth.format(date);
    },
    change(now, before) {
      return now === null || before === null || before === 0 ? NOTHING : signedShare.format(now / before - 1);
    },
  };
}

function dateOf(moment: string | number | null | undefined): Date | undefined {
  if (moment == null || moment === '') return undefined;
  const date = new Date(moment);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/**
 * A name or a text of a provider, a client or a file, safe to read: control characters and marks that turn the direction of reading
 * are shown as `\x1b` and `\u202e`. That it is no markup is the matter of who shows it: as a text node.
 */
export function safeText(text: string | null | undefined): string {
  return text == null ? '' : terminalSafe(text);
}

/** What to do, as words and as the command at its end, which can be copied. */
export function splitRemedy(remedy: string | null): { readonly words: string; readonly command: string | undefined } {
  if (remedy === null) return { words: '', command: undefined };
  const start = remedy.indexOf('./manage ');
  if (start < 0) return { words: remedy, command: undefined };
  const before = remedy.slice(0, start).trimEnd();
  const words = before.endsWith(':') ? before.slice(0, -1) : before;
  return { words, command: remedy.slice(start) };
}

/** The last two parts of a path, which show best what it is; a hash stays as it is. */
export function pathEnd(path: string): string {
  return path.split(/[\\/]/).filter(Boolean).slice(-2).join('/');
}
