import { localDay } from '../../core/clock.ts';
import { terminalSafe } from '../../core/text.ts';
import { usageFilePath } from '../../telemetry/usage/file.ts';
import { type DayRange, type UsageGrouping, type UsageTotals, usageGroupings } from '../../telemetry/usage/totals.ts';
import { exitCodes, Failure } from '../exitCodes.ts';
import { isDay } from '../options.ts';
import type { Instance } from '../supervisor/instances.ts';
import {
  type InstanceUsage,
  mergeUsage,
  readDatabases,
  readFolders,
  totalLine,
  type UsageLine,
} from '../usage/read.ts';
import { usageCsv, usageFields } from '../usage/usageView.ts';
import { DailyUsage, type DaySum, type SessionShare, type SessionSum } from './dailyUsage.ts';
import type { Machines, Period, Problem, SessionLine, SessionsAnswer, UsageAnswer, UsageSeries } from './records.ts';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;
/** Ten years; a longer range would be more bars than a screen has columns. */
const MOST_DAYS = 3660;
const MOST_GROUPS = 12;
/** As long as usage is kept. */
const READ_AHEAD_DAYS = 400;
const DEFAULT_SESSIONS = 200;
const MOST_SESSIONS = 1000;
const MACHINES = ['this', 'all'] as const satisfies readonly Machines[];
const PERIODS = ['day', 'week', 'month'] as const satisfies readonly Period[];

/** The day so many days after another one. */
function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

function refuse(message: string): never {
  throw new Failure(message, exitCodes.usage);
}

function readDay(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  return isDay(text) ? text : refuse(`${name} takes a day like 2026-11-20`);
}

function oneOf<T extends string>(name: string, choices: readonly T[], text: string, absent: T): T {
  if (text === '') return absent;
  return choices.find((choice) => choice === text) ?? refuse(`${name} takes ${choices.join(', ')}`);
}

/** What is asked of the usage files, as it stands in the address. */
export interface UsageQueryValues {
  readonly by?: string | undefined;
  readonly period?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly compare?: string | undefined;
  readonly limit?: string | undefined;
  readonly machines?: string | undefined;
  readonly instance?: string | undefined;
}

/** The days that are asked for, both included: the last 30 up to `to`, or up to today. */
function rangeOf({ from, to }: UsageQueryValues, now: number): DayRange {
  const last = readDay('to', to) ?? localDay(now);
  const first = readDay('from', from) ?? addDays(last, 1 - DEFAULT_DAYS);
  if (first > last) refuse(`from ${first} is later than to ${last}`);
  if (addDays(first, MOST_DAYS) < last) refuse(`from and to are more than ${MOST_DAYS} days apart`);
  return { first, last };
}

/** The first day of the week (Monday) or month of a day, or the day itself. */
function periodOf(day: string, period: Period): string {
  if (period === 'day') return day;
  if (period === 'month') return `${day.slice(0, 7)}-01`;
  return addDays(day, -((new Date(day).getUTCDay() + 6) % 7));
}

function periodsOf({ first, last }: DayRange, period: Period): string[] {
  const periods = new Set<string>();
  for (let day = first; day <= last; day = addDays(day, 1)) periods.add(periodOf(day, period));
  return [...periods];
}

function lineFields(line: UsageLine) {
  const { group, name } = line;
  return { group: terminalSafe(group), name: name === undefined ? null : terminalSafe(name), ...usageFields(line) };
}

function* fieldsOf(lines: readonly UsageLine[]): Generator<ReturnType<typeof lineFields>> {
  for (const line of lines) yield lineFields(line);
}

/** An answer whose lines are made as they are written: by session a year has thousands, which as one text would be megabytes. */
export type LongAnswer<T> = T extends { readonly lines: readonly (infer Line)[] }
  ? Omit<{ readonly [Name in keyof T]: LongAnswer<T[Name]> }, 'lines'> & { readonly lines: Iterable<Line> }
  : T;

/** The usage file of an instance, which could be read. */
interface InstanceFile {
  readonly name: string;
  readonly path: string;
}

/** The same with the sums of each day. */
interface DailyInstanceUsage extends InstanceUsage {
  readonly daySums: () => Iterable<DaySum>;
}

/** What usage is asked for, by what it is summed up, and of which days. */
interface UsageQuery {
  readonly machines: Machines;
  readonly by: UsageGrouping;
  readonly range: DayRange;
  /** Whether instances were named, and not all of them are meant. */
  readonly isNamed: boolean;
}

function readQuery(query: UsageQueryValues, now: number): UsageQuery {
  return {
    machines: oneOf('machines', MACHINES, query.machines ?? '', 'this'),
    by: oneOf('by', usageGroupings, query.by ?? '', 'model'),
    range: rangeOf(query, now),
    isNamed: query.instance !== undefined,
  };
}

/** Answers about usage and sessions from the usage files of the instances, and about usage from the databases that they share. */
export class UsageAnswers {
  readonly #root: string;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #daily = new DailyUsage();
  readonly #all: () => readonly Instance[];

  /** @param all the instances of this checkout, whose env files may name databases */
  constructor(root: string, environment: Readonly<Record<string, string | undefined>>, all: () => readonly Instance[]) {
    this.#root = root;
    this.#environment = environment;
    this.#all = all;
  }

  /** @throws Failure for a query that makes no sense */
  async usage(instances: readonly Instance[], query: UsageQueryValues, now: number): Promise<LongAnswer<UsageAnswer>> {
    const asked = readQuery(query, now);
    const { by, range, machines } = asked;
    const period = oneOf('period', PERIODS, query.period ?? '', 'day');
    const before = query.compare === '1' ? await this.#before(instances, asked, now) : null;
    return this.#readUsage(instances, asked, now, (usages, unreadable) => {
      const lines = mergeUsage(usages, by);
      return {
        by,
        period,
        first_day: range.first,
        last_day: range.last,
        lines: fieldsOf(lines),
        total: usageFields(totalLine(lines)),
        series: seriesOf(usages, lines, by, period, range),
        before,
        unreadable,
        machines,
        has_database: this.#all().some(({ config }) => config?.usageDatabase !== undefined),
      };
    });
  }

  /** The lines of {@link usage} as `./manage usage --csv` prints them. */
  async csv(instances: readonly Instance[], query: UsageQueryValues, now: number): Promise<string> {
    const asked = readQuery(query, now);
    return this.#readUsage(instances, asked, now, (usages) => `${usageCsv(mergeUsage(usages, asked.by), asked.by)}\n`);
  }

  /** @throws Failure for a query that makes no sense */
  async sessions(instances: readonly Instance[], query: UsageQueryValues, now: number): Promise<SessionsAnswer> {
    const range = rangeOf(query, now);
    const limit = Math.min(MOST_SESSIONS, Math.max(1, Math.trunc(Number(query.limit ?? DEFAULT_SESSIONS)) || 1));
    const folders = readFolders(this.#environment);
    return this.#read(instances, range, now, (files, unreadable) => {
      const names = new Map(files.map(({ path, name }) => [path, name]));
      const { sessions, shares, found } = this.#daily.sessions([...names.keys()], range, limit);
      const sharesOf = Map.groupBy(shares, ({ session }) => session);
      return {
        first_day: range.first,
        last_day: range.last,
        sessions: sessions.map((sum) => sessionLine(sum, sharesOf.get(sum.session) ?? [], names, folders)),
        found,
        unreadable,
      };
    });
  }

  /** Reads the last year, so that it is at hand, as long as nobody waits for anything else. */
  async readAhead(instances: readonly Instance[], now: number, isBusy: () => boolean): Promise<void> {
    const last = localDay(now);
    await this.#read(instances, { first: addDays(last, -READ_AHEAD_DAYS), last }, now, () => undefined, isBusy);
  }

  close(): void {
    this.#daily.close();
  }

  async #before(instances: readonly Instance[], asked: UsageQuery, now: number) {
    const { first, last } = asked.range;
    const days = (Date.parse(last) - Date.parse(first)) / DAY_MS + 1;
    const range = { first: addDays(first, -days), last: addDays(first, -1) };
    return this.#readUsage(instances, { ...asked, range }, now, (usages) => {
      const lines = mergeUsage(usages, asked.by);
      return {
        first_day: range.first,
        last_day: range.last,
        lines: fieldsOf(lines),
        total: usageFields(totalLine(lines)),
      };
    });
  }

  #read<T>(
    instances: readonly Instance[],
    range: DayRange,
    now: number,
    answer: (files: readonly InstanceFile[], unreadable: readonly Problem[]) => T,
    isBusy?: () => boolean,
  ): Promise<T> {
    const files = instances.map(({ name, config }) => ({
      name,
      path: usageFilePath(config?.stateDirectory ?? `${this.#root}/state`, name),
    }));
    const paths = files.map(({ path }) => path);
    const answerFor = (failures: ReadonlyMap<string, string>) => {
      const unreadable = files.flatMap(({ name, path }): Problem[] => {
        const reason = failures.get(path);
        if (reason === undefined) return [];
        const problem = `${path} cannot be read: ${reason}`;
        return [{ instance: name, severity: 'bad', problem, remedy: `./manage usage ${name}` }];
      });
      return answer(
        files.filter(({ path }) => !failures.has(path)),
        unreadable,
      );
    };
    return this.#daily.read(paths, range, now, answerFor, isBusy);
  }

  /** Reads what is asked for, from the usage files of this machine or from the databases of all. */
  async #readUsage<T>(
    instances: readonly Instance[],
    { machines, by, range, isNamed }: UsageQuery,
    now: number,
    answer: (usages: readonly DailyInstanceUsage[], unreadable: readonly Problem[]) => T,
  ): Promise<T> {
    const folders = by === 'project' ? { names: readFolders(this.#environment) } : {};
    if (machines === 'this') {
      return this.#read(instances, range, now, (files, unreadable) => {
        const usages = files.map(({ name, path }) => ({
          name,
          sums: this.#daily.sums(path, by, range),
          daySums: () => this.#daily.daySums(path, by, range),
          ...(by === 'session' ? { names: this.#daily.sessionIds(path, range) } : folders),
        }));
        return answer(usages, unreadable);
      });
    }
    const names = isNamed ? instances.map(({ name }) => name) : [];
    const { usages, failures } = await readDatabases(this.#all(), names, { by, range, daily: true, ...folders });
    const unreadable = failures.map(({ name, message: problem }): Problem => {
      return { instance: name, severity: 'bad', problem, remedy: './manage usage --postgres' };
    });
    // A sum over days is that of the sums of each.
    const daily = usages.map((usage) => ({
      ...usage,
      daySums: () => usage.sums.map((sum) => ({ ...sum, day: sum.day ?? range.first })),
    }));
    return answer(daily, unreadable);
  }
}

/** The bars of the groups that cost most, and of all others together. */
function seriesOf(
  usages: readonly DailyInstanceUsage[],
  lines: readonly UsageLine[],
  by: UsageGrouping,
  period: Period,
  range: DayRange,
): UsageSeries {
  const periods = periodsOf(range, period);
  const places = new Map(periods.map((day, index) => [day, index]));
  // Days as groups would be one bar each; the bars show that already.
  const isWhole = by === 'day';
  const dearest = isWhole ? [] : [...lines].sort((a, b) => b.cost - a.cost || b.requests - a.requests);
  const shown = dearest.slice(0, dearest.length > MOST_GROUPS ? MOST_GROUPS - 1 : MOST_GROUPS);
  const bars = new Map<string | null, Bars>(shown.map(({ group }) => [group, new Bars(periods.length)]));
  const others = new Bars(periods.length);
  for (const { name, daySums } of usages) {
    for (const sum of daySums()) {
      const place = places.get(periodOf(sum.day, period));
      if (place === undefined) continue;
      const group = by === 'instance' ? name : (sum.group ?? '-');
      (bars.get(group) ?? others).add(place, sum);
    }
  }
  const nameOf = (group: string) => lines.find((line) => line.group === group)?.name;
  const named = [...bars].map(([group, { values }]) => ({
    group: group === null ? null : terminalSafe(group),
    name: group === null ? null : terminalSafe(nameOf(group) ?? '') || null,
    ...values,
  }));
  return { periods, groups: others.isEmpty ? named : [...named, { group: null, name: null, ...others.values }] };
}

/** The bars of one group. */
class Bars {
  readonly values: Record<
    'requests' | 'input_tokens' | 'cache_read_tokens' | 'output_tokens' | 'cost_usd' | 'unpriced_requests',
    number[]
  >;
  isEmpty = true;

  constructor(count: number) {
    const zeros = () => new Array<number>(count).fill(0);
    this.values = {
      requests: zeros(),
      input_tokens: zeros(),
      cache_read_tokens: zeros(),
      output_tokens: zeros(),
      cost_usd: zeros(),
      unpriced_requests: zeros(),
    };
  }

  add(place: number, sum: UsageTotals): void {
    this.isEmpty = false;
    const { values } = this;
    const more = (figures: number[], amount: number) => {
      figures[place] = (figures[place] ?? 0) + amount;
    };
    more(values.requests, sum.requests);
    more(values.input_tokens, sum.input + sum.cacheRead + sum.cacheWrite);
    more(values.cache_read_tokens, sum.cacheRead);
    more(values.output_tokens, sum.output);
    more(values.cost_usd, sum.cost);
    more(values.unpriced_requests, sum.unpriced);
  }
}

/**
 * A session as the page shows it.
 * @param names of the instances, by the paths of their files
 * @param folders the folders by their hashes
 */
function sessionLine(
  sum: SessionSum,
  shares: readonly SessionShare[],
  names: ReadonlyMap<string, string>,
  folders: ReadonlyMap<string, string>,
): SessionLine {
  const input = sum.input + sum.cacheRead + sum.cacheWrite;
  const project = sum.project === null ? null : (folders.get(sum.project) ?? sum.project);
  const models = new Map<string, number>();
  for (const { model, requests } of shares) {
    if (model !== null) models.set(model, (models.get(model) ?? 0) + requests);
  }
  const distinct = (texts: readonly string[]) => [...new Set(texts)].sort();
  return {
    ...usageFields({ group: sum.session, ...sum }),
    session: terminalSafe(sum.session),
    session_id: sum.sessionId === null ? null : terminalSafe(sum.sessionId),
    project: project === null ? null : terminalSafe(project),
    instances: distinct(shares.map(({ path }) => names.get(path) ?? '')),
    providers: distinct(shares.flatMap(({ provider }) => (provider === '' ? [] : terminalSafe(provider)))),
    models: [...models].sort(([, a], [, b]) => b - a).map(([model]) => terminalSafe(model)),
    first_request_at: new Date(sum.first).toISOString(),
    turns: sum.requests - sum.agents,
    agent_requests: sum.agents,
    cache_hit_share: input === 0 ? null : sum.cacheRead / input,
    longest_ms: sum.longest,
  };
}
