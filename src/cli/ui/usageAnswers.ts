import { localDay } from '../../core/clock.ts';
import { terminalSafe } from '../../core/text.ts';
import { usageFilePath } from '../../telemetry/usage/file.ts';
import { type DayRange, NO_USAGE } from '../../telemetry/usage/totals.ts';
import { exitCodes, Failure } from '../exitCodes.ts';
import { isDay } from '../options.ts';
import type { Instance } from '../supervisor/instances.ts';
import { mergeUsage, readFolders, totalLine, type UsageLine } from '../usage/read.ts';
import { usageCsv, usageFields } from '../usage/usageView.ts';
import {
  addRow,
  type DailyUsage,
  DailyUsageReader,
  groupDaily,
  type PageGrouping,
  pageGroupings,
} from './dailyUsage.ts';
import type { Period, Problem, SessionLine, SessionsAnswer, UsageAnswer, UsageSeries } from './records.ts';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;
/** Ten years; a longer range would be more bars than a screen has columns. */
const MOST_DAYS = 3660;
const MOST_GROUPS = 12;
/** As long as usage is kept. */
const READ_AHEAD_DAYS = 400;
const DEFAULT_SESSIONS = 200;
const MOST_SESSIONS = 1000;
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

/** What of some instances was read, and what could not be. */
interface Reading {
  readonly parts: readonly { readonly name: string; readonly rows: readonly DailyUsage[] }[];
  readonly unreadable: readonly Problem[];
}

/** Answers about usage and sessions from the usage files of the instances, of which it keeps the days that are over. */
export class UsageAnswers {
  readonly #root: string;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #readers = new Map<string, DailyUsageReader>();

  constructor(root: string, environment: Readonly<Record<string, string | undefined>>) {
    this.#root = root;
    this.#environment = environment;
  }

  /** @throws Failure for a query that makes no sense */
  async usage(instances: readonly Instance[], query: UsageQueryValues, now: number): Promise<UsageAnswer> {
    const by = oneOf('by', pageGroupings, query.by ?? '', 'model');
    const period = oneOf('period', PERIODS, query.period ?? '', 'day');
    const range = rangeOf(query, now);
    const reading = await this.#read(instances, range, now);
    const lines = this.#merge(reading, by);
    return {
      by,
      period,
      first_day: range.first,
      last_day: range.last,
      lines: lines.map(lineFields),
      total: usageFields(totalLine(lines)),
      series: this.#series(reading, lines, by, period, range),
      before: query.compare === '1' ? await this.#before(instances, range, by, now) : null,
      unreadable: reading.unreadable,
    };
  }

  /** The lines of {@link usage} as `./manage usage --csv` prints them. */
  async csv(instances: readonly Instance[], query: UsageQueryValues, now: number): Promise<string> {
    const by = oneOf('by', pageGroupings, query.by ?? '', 'model');
    const reading = await this.#read(instances, rangeOf(query, now), now);
    return `${usageCsv(this.#merge(reading, by), by)}\n`;
  }

  /** @throws Failure for a query that makes no sense */
  async sessions(instances: readonly Instance[], query: UsageQueryValues, now: number): Promise<SessionsAnswer> {
    const range = rangeOf(query, now);
    const limit = Math.min(MOST_SESSIONS, Math.max(1, Math.trunc(Number(query.limit ?? DEFAULT_SESSIONS)) || 1));
    const { parts, unreadable } = await this.#read(instances, range, now);
    const sessions = new Map<string, SessionSums>();
    for (const { name, rows } of parts) {
      for (const row of rows) {
        if (row.session === null || row.requests === 0) continue;
        const sums = sessions.get(row.session) ?? new SessionSums(row.session);
        sums.add(name, row);
        sessions.set(row.session, sums);
      }
    }
    const latest = [...sessions.values()].sort((a, b) => b.sum.last - a.sum.last).slice(0, limit);
    const folders = readFolders(this.#environment);
    return {
      first_day: range.first,
      last_day: range.last,
      sessions: latest.map((sums) => sums.line(folders)),
      found: sessions.size,
      unreadable,
    };
  }

  /** Reads the last year, so that it is at hand, as long as nobody waits for anything else. */
  async readAhead(instances: readonly Instance[], now: number, isBusy: () => boolean): Promise<void> {
    const last = localDay(now);
    await this.#read(instances, { first: addDays(last, -READ_AHEAD_DAYS), last }, now, isBusy);
  }

  async #before(instances: readonly Instance[], { first, last }: DayRange, by: PageGrouping, now: number) {
    const days = (Date.parse(last) - Date.parse(first)) / DAY_MS + 1;
    const range = { first: addDays(first, -days), last: addDays(first, -1) };
    const lines = this.#merge(await this.#read(instances, range, now), by);
    return {
      first_day: range.first,
      last_day: range.last,
      lines: lines.map(lineFields),
      total: usageFields(totalLine(lines)),
    };
  }

  async #read(instances: readonly Instance[], range: DayRange, now: number, isBusy = () => false): Promise<Reading> {
    const parts: { name: string; rows: readonly DailyUsage[] }[] = [];
    const unreadable: Problem[] = [];
    for (const instance of instances) {
      const { name, config } = instance;
      const path = usageFilePath(config?.stateDirectory ?? `${this.#root}/state`, name);
      const reader = this.#readers.get(path) ?? new DailyUsageReader(path);
      this.#readers.set(path, reader);
      try {
        parts.push({ name, rows: await reader.read(range, now, isBusy) });
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        unreadable.push({
          instance: name,
          severity: 'bad',
          problem: `${path} cannot be read: ${reason}`,
          remedy: `./manage usage ${name}`,
        });
      }
    }
    return { parts, unreadable };
  }

  #merge({ parts }: Reading, by: PageGrouping): UsageLine[] {
    const names = by === 'project' ? { names: readFolders(this.#environment) } : {};
    return mergeUsage(
      parts.map(({ name, rows }) => ({ ...groupDaily(name, rows, by), ...names })),
      by,
    );
  }

  /** The bars of the groups that cost most, and of all others together. */
  #series(
    reading: Reading,
    lines: readonly UsageLine[],
    by: PageGrouping,
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
    for (const { name, rows } of reading.parts) {
      const perDay = Map.groupBy(rows, ({ day }) => day);
      for (const [day, ofDay] of perDay) {
        const place = places.get(periodOf(day, period));
        if (place === undefined) continue;
        for (const sum of groupDaily(name, ofDay, by).sums) {
          const group = by === 'instance' ? name : (sum.group ?? '-');
          (bars.get(group) ?? others).add(place, sum);
        }
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

  add(place: number, sum: Omit<UsageLine, 'group' | 'name'>): void {
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

/** What one session of Claude Code has used, in all instances. */
class SessionSums {
  readonly sum = { ...NO_USAGE, last: 0 };
  readonly #session: string;
  #id: string | null = null;
  #project: string | null = null;
  #first = Number.POSITIVE_INFINITY;
  #longest = 0;
  #agents = 0;
  readonly #instances = new Set<string>();
  readonly #providers = new Set<string>();
  readonly #models = new Map<string, number>();

  constructor(session: string) {
    this.#session = session;
  }

  add(instance: string, row: DailyUsage): void {
    addRow(this.sum, row);
    this.#id = row.sessionId ?? this.#id;
    if (row.project !== null && row.project > (this.#project ?? '')) this.#project = row.project;
    if (row.first > 0) this.#first = Math.min(this.#first, row.first);
    this.#longest = Math.max(this.#longest, row.longest);
    this.#agents += row.agents;
    this.#instances.add(instance);
    if (row.provider !== '') this.#providers.add(terminalSafe(row.provider));
    if (row.model !== null) this.#models.set(row.model, (this.#models.get(row.model) ?? 0) + row.requests);
  }

  /** @param folders the folders by their hashes */
  line(folders: ReadonlyMap<string, string>): SessionLine {
    const line = { group: this.#session, ...this.sum };
    const input = line.input + line.cacheRead + line.cacheWrite;
    const project = this.#project === null ? null : (folders.get(this.#project) ?? this.#project);
    return {
      ...usageFields(line),
      session: terminalSafe(this.#session),
      session_id: this.#id === null ? null : terminalSafe(this.#id),
      project: project === null ? null : terminalSafe(project),
      instances: [...this.#instances].sort(),
      providers: [...this.#providers].sort(),
      models: [...this.#models].sort(([, a], [, b]) => b - a).map(([model]) => terminalSafe(model)),
      first_request_at: new Date(Number.isFinite(this.#first) ? this.#first : line.last).toISOString(),
      turns: line.requests - this.#agents,
      agent_requests: this.#agents,
      cache_hit_share: input === 0 ? null : line.cacheRead / input,
      longest_ms: this.#longest,
    };
  }
}
