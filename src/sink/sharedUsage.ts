import type { SecureContext } from 'node:tls';
import type { PostgresAddress } from '../config/parsers.ts';
import { type DayRange, FIRST_DAY, type UsageGrouping, type UsageSum } from '../telemetry/usage/totals.ts';
import { PostgresDatabase } from './database.ts';
import { SCHEMA, sumNames } from './schema.ts';

/** How long somebody who waits before a terminal may wait. */
const STATEMENT_MS = 60_000;

/** What is looked for in the database. */
export interface SharedUsageQuery {
  readonly address: PostgresAddress;
  readonly trust: SecureContext | undefined;
  readonly by: UsageGrouping;
  readonly range: DayRange;
  /** Names of instances; none means all that there are. */
  readonly instances: readonly string[];
}

/** What one instance has used on all machines on which it runs. */
export interface SharedUsage {
  readonly name: string;
  readonly sums: readonly UsageSum[];
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
  project: "coalesce(nullif(project, ''), folder, '')",
  intent: 'intent',
  side: 'side',
};

const IN_RANGE = `day >= $1::text::date AND day <= $2::text::date AND ($3 = '' OR instance = ANY(string_to_array($3, ' ')))`;

/** The statement that sums up the days from a first one to a last one (its first parameters), of instances whose names the third has. */
function sumStatement(by: UsageGrouping): string {
  const folders = `LEFT JOIN (
      SELECT instance, session, max(project) AS folder FROM ${SCHEMA}.days
      WHERE ${IN_RANGE} AND session <> '' AND project <> '' GROUP BY 1, 2
    ) AS known USING (instance, session)`;
  return `SELECT instance, ${GROUPS[by]} AS "group", max(session_id) AS session_id,
      coalesce(extract(epoch FROM max(last)) * 1000, 0)::float8 AS last,
      ${sumNames.map((name) => `sum(${name})::float8 AS ${name}`).join(', ')}
    FROM ${SCHEMA}.days ${by === 'project' ? folders : ''} WHERE ${IN_RANGE} GROUP BY 1, 2`;
}

type SumRow = Readonly<Record<(typeof sumNames)[number], number>> & {
  readonly instance: string;
  readonly group: string;
  readonly session_id: string | null;
  readonly last: number;
};

function toSum(row: SumRow): UsageSum {
  const { group, last, requests, checks, failed, input, output, reasoning, cost, unpriced, searches } = row;
  return {
    group: group === '' ? null : group,
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
  const { address, trust, by, range, instances } = query;
  const first = range.first === FIRST_DAY ? '-infinity' : range.first; // a database knows no year 0
  const database = new PostgresDatabase(address, trust, STATEMENT_MS);
  try {
    const rows = await database.query<SumRow>(sumStatement(by), [first, range.last, instances.join(' ')]);
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
