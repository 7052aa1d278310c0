import type { SecureContext } from 'node:tls';
import type { PostgresAddress } from '../config/parsers.ts';
import { type DayRange, FIRST_DAY, type UsageGrouping, type UsageSum } from '../telemetry/usage/totals.ts';
import { PostgresDatabase } from './database.ts';
import { SCHEMA, sumNames } from './schema.ts';

/** How long somebody who waits before a terminal may wait. */
const STATEMENT_MS = 60_000;

/** For the sums of some hundred thousand sessions, which the server would write to its disk otherwise. */
const WORK_MEMORY = '64MB';

/** What is looked for in the database. */
export interface SharedUsageQuery {
  readonly address: PostgresAddress;
  readonly trust: SecureContext | undefined;
  readonly by: UsageGrouping;
  /** Each day by itself. */
  readonly daily?: boolean;
  readonly range: DayRange;
  /** Names of instances; none means all that there are. */
  readonly instances: readonly string[];
}

export interface SharedSum extends UsageSum {
  readonly day?: string;
}

/** What one instance has used on all machines on which it runs. */
export interface SharedUsage {
  readonly name: string;
  /** With their days if each is by itself. */
  readonly sums: readonly SharedSum[];
  /** The client's ids of sessions by their hashes. */
  readonly names?: ReadonlyMap<string, string>;
}

/** By what the lines of a day are grouped; an empty text stands for none. */
const GROUPS: Readonly<Record<UsageGrouping, string>> = {
  day: "to_char(day, 'YYYY-MM-DD')",
  model: 'model',
  provider: 'provider',
  session: 'session',
  instance: "''",
  // A request that does not name the folder belongs to that of its session.
  project:
    "CASE WHEN project <> '' OR session = '' THEN project ELSE max(project) OVER (PARTITION BY instance, session) END",
  intent: 'intent',
  client: 'client',
  side: 'side',
};

/** What distinguishes the lines of a group before the folders are found. */
const PARTS: Readonly<Record<UsageGrouping, readonly string[]>> = {
  day: ['day'],
  model: ['model'],
  provider: ['provider'],
  session: ['session'],
  instance: [],
  project: ['session', 'project'],
  intent: ['intent'],
  client: ['client'],
  side: ['side'],
};

/**
 * The statement that sums up the days from a first one to a last one (its first parameters), of instances whose names the third has. It
 * sums up twice: what has to be computed for each group is then computed for a few lines.
 */
function sumStatement(by: UsageGrouping, daily: boolean): string {
  const sums = (type = '') => sumNames.map((name) => `sum(${name}${type}) AS ${name}`).join(', ');
  const parts = [...new Set(['instance', ...(daily ? ['day'] : []), ...PARTS[by]])].join(', ');
  const groups = ['instance', '"group"', ...(daily ? ['day'] : [])].join(', ');
  return `WITH parts AS (
      SELECT ${parts}, max(session_id) AS session_id, max(last) AS last, ${sums('::float8')}
      FROM ${SCHEMA}.days
      WHERE day >= $1::text::date AND day <= $2::text::date AND ($3 = '' OR instance = ANY(string_to_array($3, ' ')))
      GROUP BY ${parts}
    ), grouped AS (SELECT *, ${GROUPS[by]} AS "group" FROM parts)
    SELECT instance, "group", ${daily ? `${GROUPS.day} AS day, ` : ''}max(session_id) AS session_id,
      coalesce(extract(epoch FROM max(last)) * 1000, 0)::float8 AS last, ${sums()}
    FROM grouped GROUP BY ${groups}`;
}

type SumRow = Readonly<Record<(typeof sumNames)[number], number>> & {
  readonly instance: string;
  readonly group: string;
  readonly day?: string;
  readonly session_id: string | null;
  readonly last: number;
};

function toSum(row: SumRow): SharedSum {
  const { group, day, last, requests, checks, failed, input, output, reasoning, cost, unpriced, searches } = row;
  return {
    group: group === '' ? null : group,
    ...(day === undefined ? {} : { day }),
    last: Math.round(last),
    requests,
    checks,
    sideCalls: row.side_calls,
    failed,
    input,
    output,
    cacheRead: row.cache_read,
    cacheWrite: row.cache_write,
    reasoning,
    cost,
    unpriced,
    searches,
    searchCost: row.search_cost,
  };
}

/**
 * Sums up the usage in a database, instance by instance. It reads the sums of days, which are a small part of the requests.
 * @throws when the database cannot be read
 */
export async function readSharedUsage(query: SharedUsageQuery): Promise<readonly SharedUsage[]> {
  const { address, trust, by, daily = false, range, instances } = query;
  const first = range.first === FIRST_DAY ? '-infinity' : range.first; // a database knows no year 0
  const database = new PostgresDatabase(address, trust, STATEMENT_MS);
  try {
    let rows: readonly SumRow[] = [];
    await database.transact(async (statements) => {
      await statements.query(`SET LOCAL work_mem = '${WORK_MEMORY}'`);
      rows = await statements.query<SumRow>(sumStatement(by, daily), [first, range.last, instances.join(' ')]);
    });
    const groups = Map.groupBy(rows, ({ instance }) => instance);
    return [...groups].map(([name, ofInstance]) => ({
      name,
      sums: ofInstance.map(toSum),
      ...(by === 'session' ? { names: sessionIds(ofInstance) } : {}),
    }));
  } finally {
    await database.close();
  }
}

function sessionIds(rows: readonly SumRow[]): ReadonlyMap<string, string> {
  return new Map(rows.flatMap(({ group, session_id }) => (session_id === null ? [] : [[group, session_id] as const])));
}
