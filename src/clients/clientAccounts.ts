import type { ClientToken, ClientTokens, ModelRef } from '../config/config.ts';
import { type Clock, localDay } from '../core/clock.ts';
import { ApiError } from '../core/errors.ts';
import { type ClientSum, spentOn, tokensOf, type UsageRow } from '../telemetry/usage/totals.ts';

/** What a request may use at most, as far as that can be said before it is sent. */
export interface Estimate {
  readonly tokens: number;
  /** US dollars; 0 where a price is not known. */
  readonly cost: number;
}

const NOTHING: Estimate = { tokens: 0, cost: 0 };
const MINUTE_MS = 60_000;
/** A client is asked to come back after so many seconds where what other requests of its have reserved is in the way. */
const RESERVED_SECONDS = 5;

/** What one client has used of its limits. */
interface Account {
  /** When its requests of the last minute were admitted, by the monotonic clock, in ms; the earliest first. */
  admittedAt: number[];
  day: string;
  tokens: number;
  month: string;
  cost: number;
  /** By requests under way. */
  reserved: Estimate;
  underWay: number;
}

/** One request of a client that has a token of its own. */
export class ClientRequest {
  readonly client: ClientToken;
  readonly #accounts: ClientAccounts;
  readonly #replicas: number;
  #reserved: Estimate | undefined;

  constructor(accounts: ClientAccounts, client: ClientToken, replicas: number) {
    this.#accounts = accounts;
    this.client = client;
    this.#replicas = replicas;
  }

  /** Whether a model is among those that the client may use, by its name or its tier. */
  mayUse({ name, model }: Pick<ModelRef, 'name' | 'model'>, tier: string): boolean {
    const { models } = this.client;
    return models === undefined || [name, model, tier].some((one) => models.includes(one));
  }

  /**
   * Takes the request into account, once.
   * @param estimate is asked for only where a limit depends on it
   * @throws ApiError (client_limit) that says which limit is reached, and for how long
   */
  admit(estimate: () => Estimate): void {
    if (this.#reserved === undefined) this.#reserved = this.#accounts.admit(this.client, this.#replicas, estimate);
  }

  /** The request is over, and counted by its row in the usage. */
  release(): void {
    if (this.#reserved !== undefined) this.#accounts.release(this.client.name, this.#reserved);
    this.#reserved = undefined;
  }
}

/**
 * What the clients with tokens of their own have used of their limits, in this process. At its admission a request reserves what it may
 * use at most; when it is over, what it has used is counted by its row in the usage file, from which a new process begins. So requests
 * that come together never go beyond a limit; one alone is admitted as long as anything is left, and may go beyond by its own use.
 * Where instances share a database, what others have used is added every few seconds.
 */
export class ClientAccounts {
  readonly #clock: Clock;
  readonly #accounts = new Map<string, Account>();
  /** The day on which it was last known what the clients have used in all instances. */
  #sharedOn = '';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  open({ replicas }: ClientTokens, client: ClientToken): ClientRequest {
    return new ClientRequest(this, client, replicas);
  }

  /** Adds what earlier processes have counted of this day and month. */
  restore(sums: readonly ClientSum[]): void {
    for (const { client, tokens, cost } of sums) {
      const account = this.#accountOf(client);
      account.tokens += tokens;
      account.cost += cost;
    }
  }

  /**
   * Takes over what the clients have used in all instances on a day and in its month, this process included; several sums of a client
   * add up. From then on the whole of a limit counts, and not the share of this process.
   */
  share(day: string, sums: readonly ClientSum[]): void {
    this.#sharedOn = day;
    for (const [client, ofClient] of Map.groupBy(sums, (sum) => sum.client)) {
      const account = this.#accountOf(client);
      const sum = (what: 'tokens' | 'cost') => ofClient.reduce((total, one) => total + one[what], 0);
      // What was counted stays counted, also when its row is lost.
      if (account.day === day) account.tokens = Math.max(account.tokens, sum('tokens'));
      if (day.startsWith(account.month)) account.cost = Math.max(account.cost, sum('cost'));
    }
  }

  /** Counts what was used; rows of the day or month before count no more. */
  count(row: UsageRow): void {
    if (row.client === null) return;
    const account = this.#accountOf(row.client);
    if (row.day === account.day) account.tokens += tokensOf(row);
    if (row.day.startsWith(account.month)) account.cost += spentOn(row);
  }

  /** @throws ApiError (client_limit) */
  admit(client: ClientToken, replicas: number, estimate: () => Estimate): Estimate {
    const account = this.#accountOf(client.name);
    const { requestsPerMinute, tokensPerDay, costPerMonth } = client;
    const now = this.#clock.monotonic();
    if (requestsPerMinute !== undefined) {
      const most = Math.max(1, Math.floor(requestsPerMinute / replicas));
      account.admittedAt = account.admittedAt.filter((at) => now - at < MINUTE_MS);
      const [first] = account.admittedAt.slice(-most);
      if (first !== undefined && account.admittedAt.length >= most) {
        const seconds = Math.max(1, Math.ceil((first + MINUTE_MS - now) / 1000));
        throw new ApiError(
          'client_limit',
          `${client.name} may make ${showCount(requestsPerMinute, 'request')} a minute${shareOf(replicas)}; again in ${showSpan(seconds)}`,
          { retryAfterSeconds: seconds },
        );
      }
    }
    const reserved = tokensPerDay === undefined && costPerMonth === undefined ? NOTHING : estimate();
    this.#check(client, account, replicas, 'tokens', reserved);
    this.#check(client, account, replicas, 'cost', reserved);
    if (requestsPerMinute !== undefined) account.admittedAt.push(now);
    account.reserved = add(account.reserved, reserved, 1);
    account.underWay += 1;
    return reserved;
  }

  release(name: string, reserved: Estimate): void {
    const account = this.#accountOf(name);
    account.underWay -= 1;
    // Fractions of a cent do not add up to nothing by themselves.
    account.reserved = account.underWay === 0 ? NOTHING : add(account.reserved, reserved, -1);
  }

  #check(client: ClientToken, account: Account, replicas: number, what: keyof Estimate, own: Estimate): void {
    const limit = what === 'tokens' ? client.tokensPerDay : client.costPerMonth;
    if (limit === undefined) return;
    // On a new day nothing is known of the others until it was read.
    const isShared = what === 'tokens' ? this.#sharedOn === account.day : this.#sharedOn.startsWith(account.month);
    const shares = isShared ? 1 : replicas;
    const most = limit / shares;
    const used = account[what];
    if (used < most && (account.underWay === 0 || used + account.reserved[what] + own[what] <= most)) return;
    const allowed = what === 'tokens' ? `${showCount(limit, 'token')} of this day` : `$${limit} of this month`;
    const words = `the ${allowed} that its token allows${shareOf(shares)}`;
    if (used < most)
      throw new ApiError(
        'client_limit',
        `${client.name} may use up ${words} by the requests that are under way; again in ${showSpan(RESERVED_SECONDS)}`,
        { retryAfterSeconds: RESERVED_SECONDS },
      );
    const seconds = this.#secondsUntilNext(what === 'tokens' ? 'day' : 'month');
    throw new ApiError('client_limit', `${client.name} has used ${words}; again in ${showSpan(seconds)}`, {
      retryAfterSeconds: seconds,
      shouldRetry: false,
    });
  }

  #secondsUntilNext(period: 'day' | 'month'): number {
    const now = this.#clock.now();
    const next = new Date(now);
    next.setHours(0, 0, 0, 0);
    if (period === 'day') next.setDate(next.getDate() + 1);
    else next.setMonth(next.getMonth() + 1, 1);
    return Math.max(1, Math.ceil((next.getTime() - now) / 1000));
  }

  /** The account of a client as it is today. */
  #accountOf(name: string): Account {
    const day = localDay(this.#clock.now());
    const month = day.slice(0, 7);
    const known = this.#accounts.get(name);
    if (known === undefined) {
      const account = { admittedAt: [], day, tokens: 0, month, cost: 0, reserved: NOTHING, underWay: 0 };
      this.#accounts.set(name, account);
      return account;
    }
    if (known.day !== day) Object.assign(known, { day, tokens: 0 });
    if (known.month !== month) Object.assign(known, { month, cost: 0 });
    return known;
  }
}

/** `1 request`, `5,000,000 tokens`. */
function showCount(count: number, unit: string): string {
  return `${count.toLocaleString('en-US')} ${unit}${count === 1 ? '' : 's'}`;
}

/** `12 s`, `5 min`, `3 h 12 min`, `12 days`: rounded up, so that nobody comes back too early. */
export function showSpan(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.ceil(minutes / 1440)} days`;
}

function add(a: Estimate, b: Estimate, sign: 1 | -1): Estimate {
  return { tokens: a.tokens + sign * b.tokens, cost: a.cost + sign * b.cost };
}

/** For the message, where a process grants a share only. */
function shareOf(replicas: number): string {
  return replicas === 1 ? '' : `, of which this process grants a share of 1/${replicas}`;
}
