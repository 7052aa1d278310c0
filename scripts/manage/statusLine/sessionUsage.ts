import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { hashSession } from '../../../src/telemetry/requestRecord.ts';

/** The part of the usage that the line shows. */
export interface UsageFigures {
  readonly requests: number;
  /** Tokens; those from the cache and into it not included. */
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  /** US dollars, of the requests whose price is known. */
  readonly cost: number;
  readonly unpriced: number;
}

export interface SessionUsage {
  readonly session: UsageFigures;
  readonly today: UsageFigures;
  /** That answered last in the session, a subagent's only when there is no other. */
  readonly model: string | undefined;
}

const LOCK_WAIT_MS = 20;
/** A session is looked for among so many of the latest requests, as the file has no index on it. */
const LATEST = 10_000;

const SUMS = `count(*) AS requests, total(input_tokens) AS input, total(output_tokens) AS output,
  total(cache_read_tokens) AS cacheRead, total(cache_write_tokens) AS cacheWrite, total(cost) AS cost,
  total(cost IS NULL) AS unpriced`;
const OF_SESSION = `FROM requests WHERE rowid > (SELECT max(rowid) FROM requests) - ${LATEST} AND session = ?`;

/**
 * What a session and a day have used, out of an instance's usage file, whether the instance runs or not.
 * @param session The client's id of it, not the hash.
 * @param day YYYY-MM-DD
 * @throws when the file cannot be read
 */
export function readSessionUsage(path: string, session: string, day: string): SessionUsage | undefined {
  if (!statSync(path, { throwIfNoEntry: false })?.size) return undefined;
  const database = new DatabaseSync(path, { readOnly: true, timeout: LOCK_WAIT_MS });
  try {
    const hash = hashSession(session);
    const sums = (rest: string, value: string) =>
      database.prepare(`SELECT ${SUMS} ${rest}`).get(value) as unknown as UsageFigures;
    const last = database
      .prepare(`SELECT used_model ${OF_SESSION} AND used_model IS NOT NULL ORDER BY agent, rowid DESC LIMIT 1`)
      .get(hash);
    const model = last?.['used_model'];
    return {
      session: sums(OF_SESSION, hash),
      today: sums('FROM requests WHERE day = ?', day),
      model: typeof model === 'string' ? model : undefined,
    };
  } finally {
    database.close();
  }
}
