import type { NumberedRow } from '../telemetry/usage/file.ts';
import {
  type ClientSum,
  firstOfMonth,
  HEALTH_CHECK,
  IS_REQUEST,
  SIDE,
  SIDE_OF_ENDPOINT,
  type UsageRow,
} from '../telemetry/usage/totals.ts';
import type { PostgresDatabase, Statements } from './database.ts';

/** Everything stands in a schema of its own, so that the database may hold other things, too. */
export const SCHEMA = 'claude_code_proxy';

/** The columns of a request, as in the usage file; null is what is not known. */
const COLUMNS: Readonly<Record<Exclude<keyof UsageRow, 'time'>, string>> = {
  day: 'date',
  id: 'text',
  endpoint: 'text',
  provider: 'text',
  key: 'text',
  tier: 'text',
  asked_model: 'text',
  used_model: 'text',
  session: 'text',
  agent: 'integer',
  session_id: 'text',
  intent: 'text',
  project: 'text',
  client: 'text',
  status: 'integer',
  outcome: 'text',
  input_tokens: 'bigint',
  output_tokens: 'bigint',
  cache_read_tokens: 'bigint',
  cache_write_tokens: 'bigint',
  reasoning_tokens: 'bigint',
  estimated: 'integer',
  cost: 'double precision',
  searches: 'integer',
  search_cost: 'double precision',
  first_event_ms: 'bigint',
  duration_ms: 'bigint',
};

const definitions = Object.entries(COLUMNS).map(([name, type]) => `${name} ${type}`);
const names = Object.keys(COLUMNS);

/**
 * What the requests of a day are summed up by: a line of `days` has one value of each. An empty text stands for none, as lines are
 * found by their values, and null equals nothing.
 */
const KEYS = {
  session: "coalesce(session, '')",
  provider: 'provider',
  model: "coalesce(used_model, '')",
  side: SIDE_OF_ENDPOINT,
  intent: "coalesce(intent, '')",
  project: "coalesce(project, '')",
  client: "coalesce(client, '')",
};

const sum = (column: string) => `coalesce(sum(${column}), 0)`;

/** The sums of a day by their types, and how they are made of requests; all add up but the time of the last request. */
const SUMS = {
  requests: ['bigint', `count(*) FILTER (WHERE ${IS_REQUEST})`],
  checks: ['bigint', `count(*) FILTER (WHERE endpoint = '${HEALTH_CHECK}')`],
  side_calls: ['bigint', `count(*) FILTER (WHERE endpoint LIKE '${SIDE}%')`],
  failed: ['bigint', `count(*) FILTER (WHERE ${IS_REQUEST} AND outcome IN ('error', 'interrupted'))`],
  input: ['bigint', sum('input_tokens')],
  output: ['bigint', sum('output_tokens')],
  cache_read: ['bigint', sum('cache_read_tokens')],
  cache_write: ['bigint', sum('cache_write_tokens')],
  reasoning: ['bigint', sum('reasoning_tokens')],
  cost: ['double precision', sum('cost')],
  unpriced: ['bigint', 'count(*) FILTER (WHERE cost IS NULL)'],
  searches: ['bigint', sum('searches')],
  search_cost: ['double precision', sum('search_cost')],
} satisfies Readonly<Record<string, readonly [type: string, expression: string]>>;
export const sumNames = Object.keys(SUMS) as (keyof typeof SUMS)[];

/**
 * Each step takes the schema from the version before it to its own. Steps only add: during an upgrade, processes of the version before
 * go on writing.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE ${SCHEMA}.sources (
     source text PRIMARY KEY, instance text NOT NULL, position bigint NOT NULL, sent_at timestamptz NOT NULL DEFAULT now()
   );
   CREATE TABLE ${SCHEMA}.requests (
     source text NOT NULL, row bigint NOT NULL, instance text NOT NULL, time timestamptz NOT NULL, ${definitions.join(', ')},
     PRIMARY KEY (source, row)
   );
   CREATE INDEX requests_day ON ${SCHEMA}.requests (instance, day);
   CREATE TABLE ${SCHEMA}.days (
     day date NOT NULL, instance text NOT NULL, key uuid NOT NULL,
     ${Object.keys(KEYS).map((name) => `${name} text NOT NULL`)},
     session_id text, last timestamptz, ${Object.entries(SUMS).map(([name, [type]]) => `${name} ${type} NOT NULL`)},
     PRIMARY KEY (day, instance, key)
   );`,
];

/** Distinguishes the lock of the migration from those of other programs. */
const MIGRATION_LOCK = 7_301_977;

async function readVersion(statements: Statements): Promise<number> {
  const [found] = await statements.query<{ table: string | null }>(
    `SELECT to_regclass('${SCHEMA}.version')::text AS table`,
  );
  if (found?.table == null) return 0;
  const [row] = await statements.query<{ version: number }>(`SELECT version FROM ${SCHEMA}.version`);
  return row?.version ?? 0;
}

/** Makes what is missing in the database. One that a newer version of this program has made stays as it is. */
export async function migrate(database: PostgresDatabase): Promise<void> {
  if ((await readVersion(database)) >= MIGRATIONS.length) return;
  await database.transact(async (statements) => {
    await statements.query(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    // Read again now that nobody else makes it: another process may have been quicker.
    const version = await readVersion(statements);
    if (version === 0) {
      const first = `CREATE SCHEMA IF NOT EXISTS ${SCHEMA}; CREATE TABLE ${SCHEMA}.version (version integer NOT NULL)`;
      await statements.query(`${first}; INSERT INTO ${SCHEMA}.version VALUES (0)`);
    }
    for (const step of MIGRATIONS.slice(version)) await statements.query(step);
    await statements.query(`UPDATE ${SCHEMA}.version SET version = ${Math.max(version, MIGRATIONS.length)}`);
  });
}

/** The position of a usage file in the database; one that it does not know begins at the given one. */
export async function findPosition(
  statements: Statements,
  file: { readonly source: string; readonly instance: string; readonly begin: number },
): Promise<number> {
  const { source, instance, begin } = file;
  const insert = `INSERT INTO ${SCHEMA}.sources (source, instance, position) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`;
  await statements.query(insert, [source, instance, String(begin)]);
  const select = `SELECT position::float8 AS position FROM ${SCHEMA}.sources WHERE source = $1`;
  const [row] = await statements.query<{ position: number }>(select, [source]);
  return row?.position ?? begin;
}

const keyNames = Object.keys(KEYS);
const keyExpressions = Object.values(KEYS);
const added = (name: string) => `${name} = days.${name} + excluded.${name}`;

/**
 * Adds rows, and sums them up, only if the file still stands at the old position, and takes it to the new one: a second process of the
 * instance, or a repetition after a connection broke, adds nothing twice. The lines are in one order, as two processes that lock
 * them in different ones would wait for each other.
 */
const ADD_ROWS = `WITH moved AS (
    UPDATE ${SCHEMA}.sources SET position = $3::bigint, sent_at = now() WHERE source = $1 AND position = $2::bigint RETURNING 1
  ), given AS (
    SELECT * FROM jsonb_to_recordset($5::text::jsonb) AS given(rowid bigint, time bigint, ${definitions.join(', ')})
    WHERE EXISTS (SELECT 1 FROM moved)
  ), added AS (
    INSERT INTO ${SCHEMA}.requests (source, row, instance, time, ${names.join(', ')})
    SELECT $1, rowid, $4, to_timestamp(time / 1000.0), ${names.join(', ')} FROM given
    ON CONFLICT DO NOTHING RETURNING *
  ), keyed AS (
    SELECT *, md5(jsonb_build_array(${keyExpressions.join(', ')})::text)::uuid AS line FROM added
  ), summed AS (
    INSERT INTO ${SCHEMA}.days AS days (day, instance, key, ${keyNames.join(', ')}, session_id, last, ${sumNames.join(', ')})
    SELECT day, instance, line, ${keyNames.map((name, place) => `min(${keyExpressions[place]}) AS "${name}"`).join(', ')},
      max(session_id), max(time) FILTER (WHERE ${IS_REQUEST}),
      ${Object.values(SUMS)
        .map(([, expression]) => expression)
        .join(', ')}
    FROM keyed GROUP BY day, instance, line ORDER BY day, instance, line
    ON CONFLICT (day, instance, key) DO UPDATE SET
      session_id = coalesce(excluded.session_id, days.session_id), last = greatest(days.last, excluded.last),
      ${sumNames.map(added).join(', ')}
  )
  SELECT (SELECT count(*) FROM moved)::int AS moved, (SELECT count(*) FROM added)::int AS added`;

/** Rows of a file that go from one position to the next. */
export interface RowsToAdd {
  readonly source: string;
  readonly instance: string;
  readonly from: number;
  readonly to: number;
  readonly rows: readonly NumberedRow[];
}

/** What a text of PostgreSQL cannot hold is left out. */
function storable(_name: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '') : value;
}

/** Adds rows; gives how many, or undefined when the file stands at another position. */
export async function addRows(statements: Statements, rows: RowsToAdd): Promise<number | undefined> {
  const { source, instance, from, to } = rows;
  const parameters = [source, String(from), String(to), instance, JSON.stringify(rows.rows, storable)];
  const [result] = await statements.query<{ moved: number; added: number }>(ADD_ROWS, parameters);
  return result?.moved === 1 ? result.added : undefined;
}

/** What clients have used in all instances, and how far a usage file is among it, at one moment. */
export interface ClientSums {
  readonly row: number;
  readonly sums: readonly ClientSum[];
}

/** In one statement, so that a row is in both or in neither. */
const SUM_CLIENTS = `SELECT position::float8 AS row, summed.* FROM ${SCHEMA}.sources LEFT JOIN (
    SELECT client, sum(cost + search_cost)::float8 AS cost,
      coalesce(sum(input + output + cache_read + cache_write) FILTER (WHERE day = $2::text::date), 0)::float8 AS tokens
    FROM ${SCHEMA}.days WHERE day >= $3::text::date AND client <> '' GROUP BY client
  ) AS summed ON true WHERE source = $1`;

/**
 * Sums up what each client has used; undefined when the database does not know the usage file.
 * @param withCost the cost of the month, too, for which all its days have to be read; else the cost is that of today
 */
export async function sumSharedClients(
  statements: Statements,
  { source, today, withCost }: { readonly source: string; readonly today: string; readonly withCost: boolean },
): Promise<ClientSums | undefined> {
  const rows = await statements.query<ClientSum & { client: string | null; row: number }>(SUM_CLIENTS, [
    source,
    today,
    withCost ? firstOfMonth(today) : today,
  ]);
  const [first] = rows;
  if (first === undefined) return undefined;
  return { row: first.row, sums: rows.filter(({ client }) => client !== null) };
}

/** So many rows are removed in well under a second. */
const REMOVE_AT_ONCE = 10_000;

/** Removes some of an instance's rows from before a day (YYYY-MM-DD), and the sums of these days; gives whether there may be more. */
export async function removeBefore(statements: Statements, instance: string, day: string): Promise<boolean> {
  const old = (table: string) =>
    `SELECT ctid FROM ${SCHEMA}.${table} WHERE instance = $1 AND day < $2::text::date LIMIT ${REMOVE_AT_ONCE}`;
  const remove = async (table: string) => {
    const deleted = `DELETE FROM ${SCHEMA}.${table} WHERE ctid = ANY(ARRAY(${old(table)})) RETURNING 1`;
    const text = `WITH deleted AS (${deleted}) SELECT count(*)::int AS count FROM deleted`;
    const [row] = await statements.query<{ count: number }>(text, [instance, day]);
    return row?.count === REMOVE_AT_ONCE;
  };
  const more = await remove('requests');
  return (await remove('days')) || more;
}
