import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { forInstance, suggestionsFor } from '../../core/errors.ts';
import { asNumber, type JsonObject, parseObject } from '../../core/json.ts';
import { terminalSafe } from '../../core/text.ts';
import { type RequestRecord, readRequest } from '../../telemetry/requestRecord.ts';
import { exitCodes, Failure } from '../exitCodes.ts';
import type { LogEntry } from '../logs/logEntries.ts';
import { jsonEntry } from '../logs/logView.ts';
import type { IndexState, RequestDetail, RequestRow, RequestsQuery } from './records.ts';

/**
 * The fields of a row as they are stored; those of {@link RequestRow} but for the cursor, which is made of time and number. First those
 * that filters read, as SQLite has to pass over all that stands before a field.
 */
const COLUMNS = [
  'instance',
  'status',
  'outcome',
  'duration_ms',
  'cost',
  'model',
  'upstream_model',
  'session',
  'agent',
  'client',
  'error_type',
  'error_message',
  'id',
  'endpoint',
  'provider',
  'tier',
  'route',
  'intent',
  'stream',
  'input_tokens',
  'cache_read_tokens',
  'cache_creation_tokens',
  'output_tokens',
  'first_event_ms',
  'attempts',
  'fallbacks',
] as const satisfies readonly (keyof RequestRow)[];

/** Of the database in memory; the rest of it is in a file that SQLite makes for itself and that no name leads to. */
const CACHE_KIB = 2000;
/** About 300 bytes each, on disk. */
const MOST_RECORDS = 1_000_000;
/** Removed at once when there are too many. */
const REMOVED_AT_ONCE = 20_000;
/** Names that are given for the choices of a filter. */
const MOST_NAMES = 100;
/** Different names that are counted; a client may name as many models as it likes. */
const MOST_COUNTED = 2000;

const DEFAULT_LIMIT = 100;
export const MOST_ROWS = 500;

/** The outcomes that went wrong: those that `./manage logs --errors` shows of requests. */
const FAILED = "('error', 'interrupted', 'rejected')";

/** A row of the list for a line of the log; undefined for a line that is no request. */
function rowOf({ record, instance, time }: LogEntry, number: number): RequestRow | undefined {
  const at = Date.parse(time);
  if (record?.['event'] !== 'request' || Number.isNaN(at)) return undefined;
  const request = readRequest(record);
  const text = (value: string | undefined) => (value === undefined ? null : terminalSafe(value));
  return {
    cursor: `${at}.${number}`,
    id: terminalSafe(request.id),
    instance,
    time: new Date(at).toISOString(),
    endpoint: terminalSafe(request.endpoint),
    provider: terminalSafe(request.provider),
    tier: text(request.tier),
    route: text(request.route),
    intent: text(request.intent),
    model: text(request.model),
    upstream_model: text(request.upstreamModel),
    stream: request.stream,
    status: request.status,
    outcome: request.outcome,
    error_type: text(request.errorType),
    error_message: text(request.errorMessage),
    input_tokens: request.inputTokens ?? null,
    cache_read_tokens: request.cacheReadTokens ?? null,
    cache_creation_tokens: request.cacheWriteTokens ?? null,
    output_tokens: request.outputTokens ?? null,
    cost: request.cost ?? null,
    first_event_ms: request.firstEventMs ?? null,
    duration_ms: request.durationMs,
    attempts: request.attempts ?? null,
    fallbacks: request.fallbacks?.length ?? 0,
    session: text(request.session),
    agent: text(request.agent),
    client: text(request.client),
  };
}

/** The time and the number of a cursor. */
function readCursor(cursor: string): readonly [time: number, number: number] {
  const [time = Number.NaN, number = Number.NaN] = cursor.split('.', 2).map(Number);
  if (Number.isSafeInteger(time) && Number.isSafeInteger(number)) return [time, number];
  throw new Failure('before takes the cursor of a row', exitCodes.usage);
}

/** A condition of SQL with its values. */
type Condition = readonly [text: string, ...values: SQLInputValue[]];

/** As many question marks as there are values. */
function listOf(values: readonly unknown[]): string {
  return `(${values.map(() => '?').join(', ')})`;
}

function statusCondition(word: string): Condition {
  if (word === 'failed') return [`outcome IN ${FAILED}`];
  const code = Number(word.endsWith('xx') ? word.slice(0, -2) : word);
  if (!Number.isInteger(code)) return ['outcome = ?', word];
  return word.endsWith('xx') ? ['status >= ? AND status < ?', code * 100, code * 100 + 100] : ['status = ?', code];
}

function agentCondition(word: string): Condition {
  if (word === 'any') return ['agent IS NOT NULL'];
  return word === 'none' ? ['agent IS NULL'] : ['agent = ?', word];
}

/** What a query asks of a row. Several values of one name are alternatives. */
function conditionsOf(query: QueryValues): Condition[] {
  const all: Condition[] = [];
  const { instance = [], model = [], status = [], session = [], agent = [], client = [], error = [] } = query;
  if (instance.length > 0) all.push([`instance IN ${listOf(instance)}`, ...instance]);
  if (model.length > 0) {
    all.push([`(model IN ${listOf(model)} OR upstream_model IN ${listOf(model)})`, ...model, ...model]);
  }
  if (session.length > 0) all.push([`session IN ${listOf(session)}`, ...session]);
  if (client.length > 0) all.push([`client IN ${listOf(client)}`, ...client]);
  for (const conditions of [status.map(statusCondition), agent.map(agentCondition)]) {
    if (conditions.length === 0) continue;
    const values = conditions.flatMap(([, ...rest]) => rest);
    all.push([`(${conditions.map(([text]) => text).join(' OR ')})`, ...values]);
  }
  for (const part of error) {
    // Without LIKE, whose signs may stand in the text.
    all.push([
      "error_type IS NOT NULL AND instr(lower(error_type || ' ' || ifnull(error_message, '')), lower(?)) > 0",
      part,
    ]);
  }
  for (const [column, [bound]] of [
    ['duration_ms', query.slower ?? []],
    ['cost', query.costlier ?? []],
  ] as const) {
    if (bound === undefined) continue;
    if (!Number.isFinite(Number(bound))) throw new Failure(`"${bound}" is no number`, exitCodes.usage);
    all.push([`${column} > ?`, Number(bound)]);
  }
  return all;
}

/** A query as it comes in an address: every value of each name. */
export type QueryValues = { readonly [Name in keyof RequestsQuery]?: readonly string[] };

/**
 * The requests of the logs in the order of time, so that a filter does not read the logs again. It is kept by SQLite in a file without
 * a name, which ends with the process, as the log stays what is kept.
 */
export class RequestIndex {
  readonly #database = new DatabaseSync('');
  readonly #insert: StatementSync;
  readonly #mostRecords: number;
  readonly #models = new Map<string, number>();
  readonly #clients = new Map<string, number>();
  #records = 0;
  /** Numbers go up for what is new and down for what is found in the past, so that no two rows are alike. */
  #latest = 0;
  #earliest = 0;
  #keptFrom = '';
  isComplete = false;

  constructor(mostRecords = MOST_RECORDS) {
    this.#mostRecords = mostRecords;
    this.#database.exec(
      `PRAGMA page_size = 32768; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -${CACHE_KIB};
       CREATE TABLE requests (time INTEGER, number INTEGER, ${COLUMNS.join(', ')}, PRIMARY KEY (time, number)) WITHOUT ROWID;`,
    );
    this.#insert = this.#database.prepare(`INSERT INTO requests VALUES (?, ?, ${COLUMNS.map(() => '?').join(', ')})`);
  }

  /** Whether there is place for what is found in the past. */
  get isFull(): boolean {
    return this.#records >= this.#mostRecords;
  }

  /** The number of the latest row that was new. */
  get latest(): number {
    return this.#latest;
  }

  /** Adds the requests among lines of the log; gives their rows, in the order of the lines. */
  add(entries: readonly LogEntry[], isPast: boolean): RequestRow[] {
    const rows: RequestRow[] = [];
    this.#database.exec('BEGIN');
    try {
      for (const entry of entries) {
        const number = isPast ? this.#earliest - 1 : this.#latest + 1;
        const row = rowOf(entry, number);
        if (row === undefined) continue;
        if (isPast) this.#earliest = number;
        else this.#latest = number;
        const values = COLUMNS.map((column) => (column === 'stream' ? Number(row.stream) : row[column]));
        this.#insert.run(Date.parse(row.time), number, ...values);
        this.#count(row);
        rows.push(row);
      }
    } finally {
      this.#database.exec('COMMIT');
    }
    this.#records += rows.length;
    if (!isPast && this.#records > this.#mostRecords) this.#removeOldest();
    return rows;
  }

  /** The rows that a query asks for, the latest first, and the cursor of the next ones. */
  find(query: QueryValues): { readonly requests: readonly RequestRow[]; readonly next: string | null } {
    const limit = Math.min(
      MOST_ROWS,
      Math.max(1, Math.trunc(Number(query.limit?.[0] ?? DEFAULT_LIMIT)) || DEFAULT_LIMIT),
    );
    const cursor = query.before?.[0] === undefined ? undefined : readCursor(query.before[0]);
    const conditions = conditionsOf(query);
    if (cursor !== undefined) conditions.push(['(time, number) < (?, ?)', ...cursor]);
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(([text]) => text).join(' AND ')}`;
    const found = this.#database
      .prepare(`SELECT * FROM requests ${where} ORDER BY time DESC, number DESC LIMIT ?`)
      .all(...conditions.flatMap(([, ...values]) => values), limit + 1);
    const requests = found.slice(0, limit).map(({ time, number, stream, ...fields }) => ({
      cursor: `${time}.${number}`,
      time: new Date(Number(time)).toISOString(),
      stream: stream === 1,
      ...fields,
    })) as unknown as RequestRow[];
    return { requests, next: found.length > limit ? (requests.at(-1)?.cursor ?? null) : null };
  }

  /**
   * Keeps of each instance what is as old as a time, in ms since 1970, or newer; of all others nothing.
   * @returns whether the times are others than those of the last call
   */
  keepFrom(oldest: ReadonlyMap<string, number>): boolean {
    const times = JSON.stringify(Object.fromEntries(oldest));
    // It looks at each row.
    if (times === this.#keptFrom) return false;
    this.#keptFrom = times;
    const { changes } = this.#database
      .prepare('DELETE FROM requests WHERE time < ifnull((SELECT value FROM json_each(?) WHERE key = instance), 9e15)')
      .run(times);
    if (Number(changes) > 0) this.#countRecords();
    return true;
  }

  state(): IndexState {
    const oldest = this.#database.prepare('SELECT min(time) AS time FROM requests').get()?.['time'];
    return {
      is_complete: this.isComplete,
      records: this.#records,
      oldest_at: typeof oldest === 'number' ? new Date(oldest).toISOString() : null,
      models: mostFrequent(this.#models),
      clients: mostFrequent(this.#clients),
    };
  }

  close(): void {
    this.#database.close();
  }

  #count({ model, upstream_model: used, client }: RequestRow): void {
    for (const name of new Set([model, used])) countName(this.#models, name);
    countName(this.#clients, client);
  }

  #removeOldest(): void {
    const bound = 'SELECT time, number FROM requests ORDER BY time, number LIMIT 1 OFFSET ?';
    this.#database
      .prepare(`DELETE FROM requests WHERE (time, number) < (${bound})`)
      .run(Math.min(REMOVED_AT_ONCE, this.#mostRecords >> 1));
    this.#countRecords();
    this.isComplete = false;
  }

  #countRecords(): void {
    this.#records = Number(this.#database.prepare('SELECT count(*) AS records FROM requests').get()?.['records']);
  }
}

function countName(counts: Map<string, number>, name: string | null): void {
  if (name === null || (counts.size >= MOST_COUNTED && !counts.has(name))) return;
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function mostFrequent(counts: ReadonlyMap<string, number>): string[] {
  const names = [...counts].sort(([, a], [, b]) => b - a).slice(0, MOST_NAMES);
  return names.map(([name]) => name);
}

/** What each line of the router means, by the name that the log has for it. */
const ROUTES: Readonly<Record<string, string>> = {
  named: 'The client has named this model, which therefore has no fallback.',
  long_context: 'ROUTER_LONG_CONTEXT: the input is at least as long as LONG_CONTEXT_THRESHOLD.',
  subagent: 'ROUTER_SUBAGENT: a subagent has asked.',
  background: 'ROUTER_BACKGROUND: the small model was asked for.',
  web_search: 'ROUTER_WEB_SEARCH: a web search was the only purpose.',
  think: 'ROUTER_THINK: thinking was asked for.',
  default: 'ROUTER_DEFAULT: no other line of the router held.',
  image: 'ROUTER_IMAGE: there were images, which the model that was asked for does not see.',
};

/** The page of the documentation that has more, by the type of the error. */
const PAGES: Readonly<Record<string, string>> = {
  not_found_error: 'docs/ROUTING.md',
  authentication_error: 'docs/PROVIDERS.md',
  timeout_error: 'docs/TROUBLESHOOTING.md',
  overloaded_error: 'docs/TROUBLESHOOTING.md',
};

/** Why a request went the way that it did, a sentence each. */
function explain(record: RequestRecord): string[] {
  const { route, tier, model, upstreamModel, attempts, fallbacks = [], notes = [], outcome } = record;
  const asked = model ?? 'The model';
  const ofTier = tier === undefined || tier === 'none' ? [] : [`${asked} stands for the ${tier} model.`];
  const failed = fallbacks.map(({ from, reason }) => `${from} was asked before, and failed: ${reason}`);
  const isAsked = attempts !== undefined && upstreamModel !== undefined;
  const used = isAsked ? `${record.provider} was asked for ${upstreamModel}` : '';
  const often = isAsked && attempts > 1 ? `; in all, providers were asked ${attempts} times` : '';
  return [
    ...(route === undefined ? ofTier : [ROUTES[route] ?? `The line ${route} of the router held.`]),
    ...failed,
    ...(outcome === 'rejected' ? ['It was refused before a provider was asked.'] : []),
    ...(used === '' ? [] : [`${used}${often}.`]),
    ...(notes.length === 0 ? [] : [`What was adapted on the way: ${notes.join(', ')}.`]),
  ];
}

/** What was supplied to a request that its model or the model's server lacks. */
function suppliedFor(line: JsonObject): RequestDetail['supplied'] {
  const number = (name: string) => asNumber(line[name]) ?? null;
  const [total, done] = [number('pictures'), number('searches')];
  return {
    pictures:
      total === null
        ? null
        : {
            total,
            described: number('pictures_described') ?? 0,
            failed: number('pictures_failed') ?? 0,
            cost: number('vision_cost'),
          },
    searches: done === null ? null : { done, failed: number('failed_searches') ?? 0, cost: number('search_cost') },
    tools_left_out: number('tools_left_out'),
  };
}

/** One request in full, from its line of the log. */
export function describeRequest(entry: LogEntry): RequestDetail | undefined {
  const row = rowOf(entry, 0);
  if (row === undefined || entry.record === undefined) return undefined;
  const record = readRequest(entry.record);
  const { durationMs, firstEventMs = durationMs, errorType, errorMessage = '', status } = record;
  return {
    record: parseObject(jsonEntry(entry)) ?? {},
    row,
    why: explain(record).map(terminalSafe),
    times: { waiting_ms: firstEventMs, streaming_ms: Math.max(0, durationMs - firstEventMs) },
    tokens: {
      fresh: record.inputTokens ?? null,
      cached: record.cacheReadTokens ?? null,
      written: record.cacheWriteTokens ?? null,
      output: record.outputTokens ?? null,
      reasoning: record.reasoningTokens ?? null,
      estimated: record.usageEstimated === true,
    },
    supplied: suppliedFor(entry.record),
    error:
      errorType === undefined
        ? null
        : {
            status,
            type: terminalSafe(errorType),
            message: terminalSafe(errorMessage),
            remedies: forInstance(suggestionsFor(errorType), entry.instance),
            page: PAGES[errorType] ?? 'docs/ERRORS.md',
          },
  };
}
