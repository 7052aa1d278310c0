import type { SecureContext } from 'node:tls';
import postgres from 'postgres';
import type { PostgresAddress } from '../config/parsers.ts';

/** Time until a connection must stand, in seconds. */
const CONNECT_SECONDS = 10;
/** Nobody else needs the place of a connection that is not used for so long. */
const IDLE_SECONDS = 60;

/** What runs statements: a connection, or a transaction on it. */
export interface Statements {
  /** Runs a statement with its parameters, which are $1, $2 and so on; gives the rows. */
  query<Row extends object>(text: string, parameters?: readonly (string | number)[]): Promise<readonly Row[]>;
}

/** One connection to a PostgreSQL server, which is made when it is needed. Everything may reject: servers are away, full or locked. */
export class PostgresDatabase implements Statements {
  readonly #sql: postgres.Sql;
  readonly #timeoutMs: number;

  /** @param timeoutMs after which a statement fails; whether the server has carried it out is not known then */
  constructor(address: PostgresAddress, trust: SecureContext | undefined, timeoutMs: number) {
    const { host, port, database, user, password, sslMode } = address;
    const checked = trust === undefined ? {} : { secureContext: trust };
    this.#timeoutMs = timeoutMs;
    this.#sql = postgres({
      host,
      port,
      database,
      user,
      password: password?.reveal() ?? '',
      ssl: sslMode === 'disable' ? false : { ...checked, rejectUnauthorized: sslMode === 'verify-full' },
      max: 1,
      idle_timeout: IDLE_SECONDS,
      connect_timeout: CONNECT_SECONDS,
      // Poolers between here and the server know neither prepared statements nor more than they are asked for.
      prepare: false,
      fetch_types: false,
      connection: { application_name: 'claude-code-proxy' },
      onnotice: () => {},
    });
  }

  async query<Row extends object>(
    text: string,
    parameters: readonly (string | number)[] = [],
  ): Promise<readonly Row[]> {
    return await this.#withinTime(this.#sql.unsafe<Row[]>(text, [...parameters]));
  }

  /** Runs statements of which all hold or none. */
  async transact(work: (statements: Statements) => Promise<void>): Promise<void> {
    const run = this.#sql.begin(async (sql) => {
      await work({ query: async (text, parameters = []) => await sql.unsafe(text, [...parameters]) });
    });
    await this.#withinTime(run);
  }

  /** Ends the connection at once; what is under way rejects. */
  async close(): Promise<void> {
    await this.#sql.end({ timeout: 0 });
  }

  async #withinTime<T>(work: PromiseLike<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      const words = `the database has not answered within ${this.#timeoutMs / 1000} s`;
      timer = setTimeout(() => reject(new Error(words)), this.#timeoutMs).unref();
    });
    try {
      return await Promise.race([work, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Whether a row cannot be stored, and not the server reached: data of a wrong form, or too long for an index. */
export function isRefusedData(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(?:22|23|54)[0-9A-Z]{3}$/.test(code);
}
