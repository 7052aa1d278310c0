import type { DatabaseSync } from 'node:sqlite';
import { tokenCount } from '../../core/json.ts';
import { redactBeginning } from '../../core/secret.ts';
import { terminalSafe } from '../../core/text.ts';
import type { RequestRecord } from '../requestRecord.ts';

/** The endpoint of a health check that asks for tokens: it has a row like a request, but is not one of a client's. */
export const HEALTH_CHECK = 'health_check';

/** The endpoint of a side call that describes a picture; its row has the session of the request that brought the picture. */
export const SIDE_VISION = 'side:vision';

/** How the endpoints of all side calls begin, which have rows like requests. */
export const SIDE = 'side:';

/** One request in the usage file: numbers and names, never text. The fields are the columns; null is what is not known. */
export interface UsageRow {
  /** End of the request, in ms since 1970. */
  readonly time: number;
  /** Its day by this machine's calendar, YYYY-MM-DD. */
  readonly day: string;
  readonly id: string;
  readonly endpoint: string;
  readonly provider: string;
  /** Where the key came from, never the key. */
  readonly key: string | null;
  readonly tier: string | null;
  readonly asked_model: string | null;
  readonly used_model: string | null;
  /** A short hash of the session id. */
  readonly session: string | null;
  /** 1 for a subagent. */
  readonly agent: 0 | 1;
  /** The client's id of the session, which `claude --resume` takes. */
  readonly session_id: string | null;
  /** What the request was for, such as `chat` or `title`. */
  readonly intent: string | null;
  /** The folder that the client works in, or a short hash of it, by USAGE_PROJECTS. */
  readonly project: string | null;
  /** The name of the client, where it has a token of its own. */
  readonly client: string | null;
  readonly status: number;
  readonly outcome: string;
  /** Without what came from the cache or went into it. */
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly cache_read_tokens: number | null;
  readonly cache_write_tokens: number | null;
  /** A part of the output. */
  readonly reasoning_tokens: number | null;
  /** 1 when the provider gave no usage and the tokens are estimates of ours. */
  readonly estimated: 0 | 1;
  /** US dollars of the tokens; null when a price is unknown, never 0 for that. */
  readonly cost: number | null;
  /** Searches of the web that this proxy has done, and their cost in US dollars; null where it does none, or where the price is unknown. */
  readonly searches: number | null;
  readonly search_cost: number | null;
  readonly first_event_ms: number | null;
  readonly duration_ms: number;
}

/** A name comes from the client and may be as long as its body. */
const MAX_NAME = 200;

/** The name of a model or folder as it may be stored and shown: clients and providers may write there what they like, a key too. */
function safeName(name: string | undefined, redact: (text: string) => string): string | null {
  return name === undefined ? null : terminalSafe(redactBeginning(name, MAX_NAME, redact)).slice(0, MAX_NAME);
}

/** The model that answered. The name in the configuration stands as it is, even if it looks like a key. */
function usedModel(
  { upstreamModel, routedModel = '' }: RequestRecord,
  redact: (text: string) => string,
): string | null {
  const isConfigured = upstreamModel !== undefined && `,${routedModel}`.endsWith(`,${upstreamModel}`);
  return isConfigured ? upstreamModel.slice(0, MAX_NAME) : safeName(upstreamModel, redact);
}

/** A number of milliseconds, made whole. */
function wholeTime(milliseconds: number): number {
  return Number.isFinite(milliseconds) ? Math.max(0, Math.round(milliseconds)) : 0;
}

/**
 * The row of a request. Whatever a provider has said in place of a count, the row can be written and summed up: what is no count is
 * not known.
 */
export function createUsageRow(
  record: RequestRecord,
  { time, day }: Pick<UsageRow, 'time' | 'day'>,
  redact: (text: string) => string,
): UsageRow {
  return {
    time,
    day,
    id: record.id,
    endpoint: record.endpoint,
    provider: record.provider,
    key: record.key ?? null,
    tier: record.tier ?? null,
    asked_model: safeName(record.model, redact),
    used_model: usedModel(record, redact),
    session: record.session ?? null,
    agent: record.agent === undefined ? 0 : 1,
    session_id: record.sessionId ?? null,
    intent: record.intent ?? null,
    project: safeName(record.project, redact),
    client: record.client ?? null,
    status: record.status,
    outcome: record.outcome,
    input_tokens: tokenCount(record.inputTokens) ?? null,
    output_tokens: tokenCount(record.outputTokens) ?? null,
    cache_read_tokens: tokenCount(record.cacheReadTokens) ?? null,
    cache_write_tokens: tokenCount(record.cacheWriteTokens) ?? null,
    reasoning_tokens: tokenCount(record.reasoningTokens) ?? null,
    estimated: record.usageEstimated === true ? 1 : 0,
    cost: Number.isFinite(record.cost) ? (record.cost ?? null) : null,
    searches: record.searches ?? null,
    search_cost: record.searchCost ?? null,
    first_event_ms: record.firstEventMs === undefined ? null : wholeTime(record.firstEventMs),
    duration_ms: wholeTime(record.durationMs),
  };
}

/** Sums over the requests of clients and the instance's own health checks. */
export interface UsageTotals {
  /** Of clients. */
  readonly requests: number;
  /** Health checks that asked for tokens; they are in the tokens, the cost and what is unpriced, and in no other figure. */
  readonly checks: number;
  /** Questions to side models, for requests of clients; counted like health checks. */
  readonly sideCalls: number;
  /** Those that a provider or this proxy failed. */
  readonly failed: number;
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly reasoning: number;
  /** US dollars, of all whose cost is known. */
  readonly cost: number;
  /** Requests, checks and side calls whose cost is not known, because a price is not. */
  readonly unpriced: number;
  /** Searches of the web by this proxy, and what those with a known price cost, in US dollars, which is not in the cost. */
  readonly searches: number;
  readonly searchCost: number;
}

export const NO_USAGE: UsageTotals = {
  requests: 0,
  checks: 0,
  sideCalls: 0,
  failed: 0,
  input: 0,
  output: 0,
  cacheRead: 0,
  cacheWrite: 0,
  reasoning: 0,
  cost: 0,
  unpriced: 0,
  searches: 0,
  searchCost: 0,
};

export function addTotals(a: UsageTotals, b: UsageTotals): UsageTotals {
  return {
    requests: a.requests + b.requests,
    checks: a.checks + b.checks,
    sideCalls: a.sideCalls + b.sideCalls,
    failed: a.failed + b.failed,
    input: a.input + b.input,
    output: a.output + b.output,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    reasoning: a.reasoning + b.reasoning,
    cost: a.cost + b.cost,
    unpriced: a.unpriced + b.unpriced,
    searches: a.searches + b.searches,
    searchCost: a.searchCost + b.searchCost,
  };
}

export function totalsOf(row: UsageRow): UsageTotals {
  const isCheck = row.endpoint === HEALTH_CHECK;
  const isSide = row.endpoint.startsWith(SIDE);
  return {
    requests: isCheck || isSide ? 0 : 1,
    checks: isCheck ? 1 : 0,
    sideCalls: isSide ? 1 : 0,
    failed: isSide ? 0 : row.outcome === 'error' || row.outcome === 'interrupted' ? 1 : 0,
    input: row.input_tokens ?? 0,
    output: row.output_tokens ?? 0,
    cacheRead: row.cache_read_tokens ?? 0,
    cacheWrite: row.cache_write_tokens ?? 0,
    reasoning: row.reasoning_tokens ?? 0,
    cost: row.cost ?? 0,
    unpriced: row.cost === null ? 1 : 0,
    searches: row.searches ?? 0,
    searchCost: row.search_cost ?? 0,
  };
}

/** Whether the cost of nothing in the sums is known. */
export function isCostUnknown({ requests, checks, sideCalls, unpriced }: UsageTotals): boolean {
  return unpriced > 0 && unpriced === requests + checks + sideCalls;
}

/** By what usage can be summed up. */
export const usageGroupings = [
  'day',
  'model',
  'instance',
  'provider',
  'session',
  'project',
  'intent',
  'client',
  'side',
] as const;
export type UsageGrouping = (typeof usageGroupings)[number];

/** The sums over one group of rows. */
export interface UsageSum extends UsageTotals {
  /** Day, model, session and so on; null when a request had none. With `instance` there is one group for the whole file. */
  readonly group: string | null;
  /** Time of the last request, in ms since 1970; 0 when there was none. */
  readonly last: number;
}

/** Who was asked: the model for the client, a side model, or a provider whether it answers. SQLite and PostgreSQL both take it. */
export const SIDE_OF_ENDPOINT = `CASE WHEN endpoint LIKE '${SIDE}%' THEN substr(endpoint, ${SIDE.length + 1}) WHEN endpoint = '${HEALTH_CHECK}' THEN 'check' ELSE 'client' END`;

const GROUPS: Readonly<Record<UsageGrouping, string>> = {
  day: 'day',
  model: 'used_model',
  provider: 'provider',
  session: 'session',
  instance: 'NULL',
  // A request that does not name the folder belongs to that of its session.
  project: 'coalesce(project, folder)',
  intent: 'intent',
  client: 'client',
  side: SIDE_OF_ENDPOINT,
};

/** The days of some rows, both included; as texts they are in order. */
export interface DayRange {
  readonly first: string;
  readonly last: string;
}

/** Before and after all days that there are. */
export const FIRST_DAY = '0000-01-01';
export const LAST_DAY = '9999-12-31';
// By names: the SQLite of Node 22.13, on which the manager may run, cannot use a number twice.
const IN_RANGE = 'day >= :first AND day <= :last';

/** The rows that are summed up, for `project` with the folder that others of the same session have named. */
const ROWS = `requests WHERE ${IN_RANGE}`;
const ROWS_WITH_FOLDERS = `requests LEFT JOIN (
      SELECT session AS known, max(project) AS folder FROM requests WHERE ${IN_RANGE} AND session IS NOT NULL GROUP BY 1
    ) ON known = session WHERE ${IN_RANGE}`;

/** As a condition on a row: whether a client has asked for it. */
export const IS_REQUEST = `(endpoint <> '${HEALTH_CHECK}' AND endpoint NOT LIKE '${SIDE}%')`;

/**
 * The columns of the sums of some rows: those of {@link UsageTotals} and the time of the last request.
 * @param hasSearches whether the file has the columns of searches, which came later
 */
export const totalsColumns = (
  hasSearches: boolean,
): string => `ifnull(max(time) FILTER (WHERE ${IS_REQUEST}), 0) AS last,
      count(*) FILTER (WHERE ${IS_REQUEST}) AS requests, count(*) FILTER (WHERE endpoint = '${HEALTH_CHECK}') AS checks,
      count(*) FILTER (WHERE endpoint LIKE '${SIDE}%') AS sideCalls,
      count(*) FILTER (WHERE ${IS_REQUEST} AND outcome IN ('error', 'interrupted')) AS failed,
      total(input_tokens) AS input, total(output_tokens) AS output, total(cache_read_tokens) AS cacheRead,
      total(cache_write_tokens) AS cacheWrite, total(reasoning_tokens) AS reasoning, total(cost) AS cost,
      sum(cost IS NULL) AS unpriced,
      ${hasSearches ? 'total(searches)' : '0'} AS searches, ${hasSearches ? 'total(search_cost)' : '0'} AS searchCost`;

/** The statement that sums up a usage file from a first day to a last one (its two parameters), by the index on the day. */
/** @param hasSearches whether the file has these columns, which came later */
export function sumStatement(by: UsageGrouping, hasSearches = true): string {
  return `SELECT ${GROUPS[by]} AS "group", ${totalsColumns(hasSearches)}
    FROM ${by === 'project' ? ROWS_WITH_FOLDERS : ROWS} GROUP BY 1`;
}

/** What a client has used: the tokens of a day and the cost of its month, in US dollars. */
export interface ClientSum {
  readonly client: string;
  readonly tokens: number;
  readonly cost: number;
}

/** The tokens of a row by which the limits of clients go: all of them, from the cache or not. */
export function tokensOf(row: UsageRow): number {
  const { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens } = row;
  return (input_tokens ?? 0) + (output_tokens ?? 0) + (cache_read_tokens ?? 0) + (cache_write_tokens ?? 0);
}

/** The cost of a row in US dollars, as far as it is known, with that of its searches. */
export function spentOn(row: UsageRow): number {
  return (row.cost ?? 0) + (row.search_cost ?? 0);
}

/** The same of the rows of a usage file, by client; of those after a row, if one is given. */
export function sumClients(database: DatabaseSync, today: string, after?: number): ClientSum[] {
  // After a row there are few: these are found by their numbers, and not by the index on the day, for which the + stands.
  const rowsOf = after === undefined ? 'day >= :first' : `rowid > ${after} AND +day >= :first`;
  const statement = `SELECT client, total(cost) + total(search_cost) AS cost,
      total(ifnull(input_tokens, 0) + ifnull(output_tokens, 0) + ifnull(cache_read_tokens, 0) + ifnull(cache_write_tokens, 0))
        FILTER (WHERE day = :today) AS tokens
    FROM requests WHERE ${rowsOf} AND client IS NOT NULL GROUP BY 1`;
  const rows: unknown[] = database.prepare(statement).all({ today, first: firstOfMonth(today) });
  return rows as ClientSum[];
}

/** The first day of the month of a day. */
export function firstOfMonth(day: string): string {
  return `${day.slice(0, 7)}-01`;
}

/** Whether a usage file has a column: one whose instance has not run since the column came has not. */
export function hasColumn(database: DatabaseSync, name: string): boolean {
  return database.prepare("SELECT 1 FROM pragma_table_info('requests') WHERE name = ?").get(name) !== undefined;
}

/** Sums up a usage file from a first day (YYYY-MM-DD) to a last one, both included; without a last one up to today. */
export function sumUsage(database: DatabaseSync, by: UsageGrouping, firstDay: string, lastDay = LAST_DAY): UsageSum[] {
  const statement = sumStatement(by, hasColumn(database, 'searches'));
  const rows: unknown[] = database.prepare(statement).all({ first: firstDay, last: lastDay });
  return rows as UsageSum[];
}
