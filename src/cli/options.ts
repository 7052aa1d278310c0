import { asString } from '../core/json.ts';
import type { UsageGrouping } from '../telemetry/usage/totals.ts';
import type { ShellName } from './claude/shells.ts';
import { didYouMean } from './terminal/output.ts';

/** A command line that cannot be understood; the message says why, for the user. */
export class UsageError extends Error {}

/** An option of the command line. Each command names in its specification which ones it has. */
export interface Option<Value = unknown> {
  /** As it is typed, without the dashes. */
  readonly name: string;
  /** One letter. */
  readonly short?: string | undefined;
  /** What the help text calls the value, as in `--lines N`; undefined for a flag, which takes none. */
  readonly placeholder?: string;
  /** The only values that there are. */
  readonly choices?: readonly string[];
  readonly summary: string;
  /**
   * @param given The text behind the option, true for a flag, undefined when the option is not there.
   * @throws UsageError for a value that it does not take.
   */
  read(given: unknown): Value;
}

function flag(name: string, summary: string, short?: string): Option<boolean> {
  return { name, short, summary, read: (given) => given === true };
}

/** A flag that switches off what is on without it. */
function offFlag(name: string, summary: string): Option<boolean> {
  return { name, summary, read: (given) => given !== true };
}

function text(name: string, placeholder: string, summary: string): Option<string | undefined> {
  return { name, placeholder, summary, read: asString };
}

function choice<Value extends string, Absent extends Value | undefined>(
  name: string,
  placeholder: string,
  summary: string,
  choices: readonly Value[],
  absent: Absent,
): Option<Value | Absent> {
  const read = (given: unknown) => {
    if (given === undefined) return absent;
    const found = choices.find((value) => value === given);
    if (found !== undefined) return found;
    throw new UsageError(`--${name} takes ${choices.join(', ')}, not "${given}"${didYouMean(String(given), choices)}`);
  };
  return { name, placeholder, choices, summary, read };
}

interface Numbers<Absent> {
  /** What the message calls the numbers that are taken. */
  readonly called: string;
  readonly isTaken: (number: number) => boolean;
  /** What holds without the option. */
  readonly absent: Absent;
}

function number<Absent extends number | undefined>(
  option: Omit<Option, 'read'>,
  { called, isTaken, absent }: Numbers<Absent>,
): Option<number | Absent> {
  const read = (given: unknown) => {
    if (given === undefined) return absent;
    if (isTaken(Number(given))) return Number(given);
    throw new UsageError(`--${option.name} takes ${called}, not "${given}"`);
  };
  return { ...option, read };
}

/** Whole numbers up to a greatest one, from 1. */
function upTo<Absent extends number | undefined>(most: number, absent: Absent): Numbers<Absent> {
  const isTaken = (value: number) => Number.isInteger(value) && value >= 1 && value <= most;
  return { called: `a number from 1 to ${most}`, isTaken, absent };
}

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const SPAN = /^(?<count>\d+)(?<unit>[smhdw])$/;
const MOMENT = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;

/** What `--since` takes, in words. */
const SINCE_FORMS = 'a span like 30m, 2h or 1d, or a time like 2026-11-20T09:00';

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

function readSince(given: unknown): number | undefined {
  if (given === undefined) return undefined;
  const since = parseSince(String(given), Date.now());
  if (since === undefined) throw new UsageError(`--since takes ${SINCE_FORMS}, not "${given}"`);
  return since;
}

/** Whether a word is a day of the calendar: 2026-11-20. */
export function isDay(word: string): boolean {
  const time = DAY.test(word) ? Date.parse(word) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(word); // 30 February would be a day of March
}

const DAY = /^\d{4}-\d\d-\d\d$/;

/** A day of this machine's calendar: YYYY-MM-DD, or today or yesterday. */
function dayOption(name: string, summary: string): Option<string | undefined> {
  const read = (given: unknown) => {
    const word = asString(given);
    if (word === undefined) return undefined;
    if (word === 'today' || word === 'yesterday' || isDay(word)) return word;
    throw new UsageError(`--${name} takes today, yesterday or a day like 2026-11-20, not "${word}"`);
  };
  return { name, placeholder: 'DAY', summary, read };
}

const MAX_DAYS = 36_500;
const MAX_PORT = 65_535;
const MAX_PROCESSES = 64;
/** The longest that a timer takes. */
const MAX_TIMEOUT_SECONDS = 2_000_000;

const timeout = number(
  { name: 'timeout', placeholder: 'SECONDS', summary: 'how long one check may take (default 60)' },
  { called: 'a number of seconds', isTaken: (seconds) => seconds > 0 && seconds <= MAX_TIMEOUT_SECONDS, absent: 60 },
);

/** All options that there are, by what the commands call their values. A value that is wrong is reported in this order. */
export const optionTable = {
  json: flag('json', 'print JSON with a "schema" number that changes when the form does'),
  quiet: flag('quiet', 'say nothing but what went wrong', 'q'),
  colour: offFlag('no-color', 'no colours (also: NO_COLOR=1, or when not on a terminal)'),
  follow: flag('follow', 'go on with what is written from now on, until Ctrl-C', 'f'),
  /** In ms since 1970. */
  since: {
    name: 'since',
    placeholder: 'WHEN',
    summary: 'from then on: 30m, 2h, 1d ago, or 2026-11-20T09:00',
    read: readSince,
  },
  lines: number(
    {
      name: 'lines',
      short: 'n',
      placeholder: 'N',
      summary: 'how many lines from the end (default 20; with --since all)',
    },
    { called: 'a number', isTaken: (lines) => Number.isSafeInteger(lines) && lines >= 0, absent: undefined },
  ),
  errors: flag('errors', 'only failed requests, warnings and errors'),
  id: text('id', 'ID', 'only the request of this id, which stands in each error: req_...'),
  /** Processes of each instance; undefined leaves as many as there are. */
  processes: number(
    { name: 'instances', placeholder: 'N', summary: 'so many processes on the instance’s one port (Linux)' },
    upTo(MAX_PROCESSES, undefined),
  ),
  force: flag('force', 'also when nothing has changed'),
  once: flag('once', 'print the figures once, as into a pipe'),
  watch: flag('watch', 'show it again every two seconds, until q or Ctrl-C', 'w'),
  allUp: flag('all-up', 'exit status 3 also for what is stopped or was never started'),
  /** In place of auto mode, whose checks cost one request of the big model for each command. */
  ask: flag('ask', 'let Claude Code ask you before each action, in place of auto mode, whose checks cost tokens'),
  fix: flag('fix', 'repair what can be repaired without risk'),
  online: flag('online', 'ask the providers too: address, clock, and the key with one tiny request'),
  full: flag('full', 'also tools, images, reasoning, caching, stop sequences, JSON and overflow'),
  timeoutMs: { ...timeout, read: (given: unknown) => timeout.read(given) * 1000 },
  keyStdin: flag('key-stdin', 'read the provider’s key from stdin, for an instance that has none'),
  days: number(
    { name: 'days', placeholder: 'N', summary: 'of the last N days, today included (default 30)' },
    upTo(MAX_DAYS, 30),
  ),
  day: dayOption('day', 'of one day: today, yesterday or 2026-11-20'),
  fromDay: dayOption('from', 'from that day on: yesterday or 2026-11-20'),
  toDay: dayOption('to', 'up to that day, which is included'),
  by: choice<UsageGrouping, 'day'>(
    'by',
    'WHAT',
    'sum up by day (default), model, instance, provider, session, project, intent, client or side',
    ['day', 'model', 'instance', 'provider', 'session', 'project', 'intent', 'client', 'side'],
    'day',
  ),
  postgres: flag('postgres', 'of all machines, from the database of USAGE_POSTGRES_URL'),
  requestsPerMinute: number(
    { name: 'requests-per-minute', placeholder: 'N', summary: 'most requests of the client within 60 seconds' },
    upTo(1_000_000, undefined),
  ),
  tokensPerDay: number(
    { name: 'tokens-per-day', placeholder: 'N', summary: 'most tokens of the client a day, input and output' },
    upTo(1_000_000_000_000, undefined),
  ),
  costPerMonth: number(
    { name: 'cost-per-month', placeholder: 'DOLLARS', summary: 'most US dollars of the client a month' },
    { called: 'a number of US dollars above 0', isTaken: (cost) => cost > 0 && cost <= 1e9, absent: undefined },
  ),
  models: text('models', 'MODEL,...', 'only these models, by name or as big, middle and small'),
  expires: dayOption('expires', 'last day on which the token is valid, such as 2026-12-31'),
  csv: flag('csv', 'print CSV, for a spreadsheet'),
  as: text('as', 'NAME', 'name of the new instance (default: the provider’s)'),
  port: number(
    { name: 'port', placeholder: 'PORT', summary: 'port of the new instance (default: a free one)' },
    upTo(MAX_PORT, undefined),
  ),
  pagePort: number(
    { name: 'port', placeholder: 'PORT', summary: 'port of the page (default 8079, or the one before)' },
    upTo(MAX_PORT, undefined),
  ),
  background: flag('background', 'keep it under PM2, also when this terminal is closed'),
  stopPage: flag('stop', 'end it, in the background or in another terminal'),
  open: offFlag('no-open', 'only serve it: no browser, no address'),
  region: text('region', 'REGION', 'region of the provider, where it has several'),
  url: text('url', 'URL', 'address of the provider, where it has none of its own'),
  model: text('model', 'MODEL', 'model for everything, where the provider has none of its own'),
  stdin: flag('stdin', 'read the provider’s key from stdin'),
  refresh: flag(
    'refresh',
    'take prices and limits of known models from a public catalogue, after showing what differs',
  ),
  from: text('from', 'FILE|URL', 'the catalogue (default: https://models.dev/api.json)'),
  outputFile: text('output', 'FILE', 'where to write the report (default: a file in state/)'),
  yes: flag('yes', 'do it without asking', 'y'),
  /** Whether the user may be asked; without a terminal nobody is asked either. */
  input: offFlag('no-input', 'never ask; what would have to be asked is an error or left out'),
  dryRun: flag('dry-run', 'only show what would be done'),
  shell: choice<ShellName, undefined>(
    'shell',
    'SHELL',
    'whose language to print (default: by SHELL)',
    ['bash', 'zsh', 'fish', 'powershell'],
    undefined,
  ),
  project: flag('project', 'in the project where you are, the only place that is ever written to'),
  verbose: flag('verbose', 'show every value that changes'),
  help: flag('help', 'show this help', 'h'),
  version: flag('version', 'print the version', 'v'),
} as const satisfies Record<string, Option>;

type OptionTable = typeof optionTable;
export type OptionName = keyof OptionTable;

/** Options that nearly every command has. */
export const common = ['quiet', 'colour', 'help'] as const;

/** The values of all options, those that were not given included. */
export type OptionValues = { readonly [Name in OptionName]: ReturnType<OptionTable[Name]['read']> };

/**
 * @param given What was given, by the names that are typed.
 * @param used The options that the command has: two of different commands may be typed alike.
 * @throws UsageError for a value that an option does not take.
 */
export function readOptions(given: Readonly<Record<string, unknown>>, used: readonly OptionName[]): OptionValues {
  const has = (key: string) => used.some((option) => option === key);
  const entries = Object.entries(optionTable).map(
    ([key, { name, read }]) => [key, read(has(key) ? given[name] : undefined)] as const,
  );
  // Each key of the table has a value of its own type, which `Object.fromEntries` cannot know.
  return Object.fromEntries(entries) as OptionValues;
}
