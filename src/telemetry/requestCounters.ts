import type { Clock } from '../core/clock.ts';
import { tokenCount } from '../core/json.ts';
import { terminalSafe } from '../core/text.ts';
import { IMAGE_NOT_SEEN, type RequestRecord, shortenErrorMessage } from './requestRecord.ts';

/** The latest request that a provider or this proxy failed. */
export interface LastError {
  /** Milliseconds since 1970. */
  at: number;
  status: number;
  type: string;
  message: string;
}

/** Counters since the start, for /health. Each request is in one of ok, rejected, failed, clientClosed once it has ended. */
export interface CountersSnapshot {
  requests: { total: number; ok: number; rejected: number; failed: number; clientClosed: number };
  /** `input` is what was not read from the provider's cache. */
  tokens: { input: number; cacheRead: number; cacheWrite: number; output: number };
  /** Searches of the web by this proxy, those that failed, and requests for one that nobody could do. */
  searches: { done: number; failed: number; refused: number; lastFailure?: { at: number; reason: string } };
  inFlight: number;
  /** Requests with pictures that the model did not get to see. */
  unseenPictures: number;
  tools: ToolLosses;
  lastSuccessAt?: number;
  lastError?: LastError;
}

/** What of the tools of clients' sessions has been lost since the start. */
export interface ToolLosses {
  /** Sessions in which the model was not offered all tools, as its server takes no more. */
  limitedSessions: number;
  /** How many tools were left out of the latest request of such a session. */
  leftOut: number;
  /** Sessions in which the client has given up its search for tools after a refusal. */
  searchLostSessions: number;
  /** What the latest of these refusals said. */
  searchLostReason?: string;
}

/** What is said once in each session. */
export type ToolNotice =
  | { readonly kind: 'limited'; readonly leftOut: number }
  | { readonly kind: 'search_lost'; readonly reason: string };

interface Session {
  isLimited: boolean;
  /** Whether the client has searched for tools in the past of this session. */
  hadSearch: boolean;
  /** The refusals since the last answer, while the client searched for tools. */
  refusal?: string;
}

/** The oldest is forgotten first. */
const SESSIONS_MAX = 1000;

/**
 * Watches whether the tools of a session come to the model. Claude Code sends few tools and a search for the others. When a request is refused
 * with a 400 or 422 in words that it does not know, it sends it again with one feature less, and at last without the search: where that is
 * answered, the conversation goes on with all tools in each request (seen with Claude Code 2.1.328 on 2026-11-30).
 */
export class SessionTools {
  readonly #sessions = new Map<string, Session>();
  readonly #losses: ToolLosses = { limitedSessions: 0, leftOut: 0, searchLostSessions: 0 };

  /** Takes in a request that has ended; gives what nobody has been shown of its session yet. */
  finish(record: RequestRecord): ToolNotice | undefined {
    const { toolsLeftOut = 0, toolSearch } = record;
    if (toolsLeftOut > 0) {
      this.#losses.leftOut = toolsLeftOut;
      const session = this.#of(record);
      if (!session.isLimited) {
        session.isLimited = true;
        this.#losses.limitedSessions += 1;
        return { kind: 'limited', leftOut: toolsLeftOut };
      }
    }
    return toolSearch === undefined ? undefined : this.#watchSearch(record, toolSearch);
  }

  snapshot(): ToolLosses {
    return { ...this.#losses };
  }

  #watchSearch(record: RequestRecord, toolSearch: boolean): ToolNotice | undefined {
    // Nothing is kept of the many sessions that never search.
    if (!toolSearch && !this.#sessions.has(record.session ?? '')) return undefined;
    const session = this.#of(record);
    if (toolSearch) session.hadSearch = true;
    if (record.status === 400 || record.status === 422) {
      if (toolSearch) session.refusal = record.errorMessage ?? '';
      return undefined;
    }
    if (record.outcome !== 'ok') return undefined;
    const { refusal } = session;
    delete session.refusal;
    if (toolSearch || !session.hadSearch || refusal === undefined) return undefined;
    session.hadSearch = false;
    this.#losses.searchLostSessions += 1;
    this.#losses.searchLostReason = refusal;
    return { kind: 'search_lost', reason: refusal };
  }

  #of({ session: name = '' }: RequestRecord): Session {
    const known = this.#sessions.get(name);
    if (known !== undefined) return known;
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined && this.#sessions.size >= SESSIONS_MAX) this.#sessions.delete(oldest);
    const session: Session = { isLimited: false, hadSearch: false };
    this.#sessions.set(name, session);
    return session;
  }
}

export class RequestCounters {
  readonly #clock: Clock;
  readonly #redact: (text: string) => string;
  readonly #requests = { total: 0, ok: 0, rejected: 0, failed: 0, clientClosed: 0 };
  readonly #tokens = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 };
  readonly #searches: CountersSnapshot['searches'] = { done: 0, failed: 0, refused: 0 };
  readonly #tools = new SessionTools();
  #inFlight = 0;
  #unseenPictures = 0;
  #lastSuccessAt: number | undefined;
  #lastError: LastError | undefined;

  /** @param redact masks credentials: the message of the last error is shown to whoever asks for /health */
  constructor(clock: Clock, redact: (text: string) => string) {
    this.#clock = clock;
    this.#redact = redact;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** A request has arrived; `finish` must follow. */
  start(): void {
    this.#inFlight += 1;
    this.#requests.total += 1;
  }

  /** Gives what is to be said of the tools of the request's session, once in each. */
  finish(record: RequestRecord): ToolNotice | undefined {
    this.#inFlight -= 1;
    this.addTokens(record);
    if (record.notes?.includes(IMAGE_NOT_SEEN) === true) this.#unseenPictures += 1;
    if (record.searches !== undefined || record.searchRefused === true) this.#addSearches(record);
    switch (record.outcome) {
      case 'ok':
        this.#requests.ok += 1;
        this.#lastSuccessAt = this.#clock.now();
        break;
      case 'rejected':
        this.#requests.rejected += 1;
        break;
      case 'client_closed':
        this.#requests.clientClosed += 1;
        break;
      case 'error':
      case 'interrupted':
        this.#requests.failed += 1;
        this.#lastError = {
          at: this.#clock.now(),
          status: record.status,
          type: record.errorType ?? 'api_error',
          message: terminalSafe(shortenErrorMessage(record.errorMessage ?? '', this.#redact)),
        };
    }
    const hasTools = record.toolsLeftOut !== undefined || record.toolSearch !== undefined;
    return hasTools ? this.#tools.finish(record) : undefined;
  }

  #addSearches({ searches = 0, failedSearches = 0, searchFailure, searchRefused }: RequestRecord): void {
    this.#searches.done += searches;
    this.#searches.failed += failedSearches;
    if (searchRefused === true) this.#searches.refused += 1;
    if (searchFailure !== undefined) this.#searches.lastFailure = { at: this.#clock.now(), reason: searchFailure };
  }

  /** Counts the tokens alone, of what no client has asked for. */
  addTokens(record: RequestRecord): void {
    this.#tokens.input += tokenCount(record.inputTokens) ?? 0;
    this.#tokens.cacheRead += tokenCount(record.cacheReadTokens) ?? 0;
    this.#tokens.cacheWrite += tokenCount(record.cacheWriteTokens) ?? 0;
    this.#tokens.output += tokenCount(record.outputTokens) ?? 0;
  }

  snapshot(): CountersSnapshot {
    return {
      requests: { ...this.#requests },
      tokens: { ...this.#tokens },
      searches: { ...this.#searches },
      inFlight: this.#inFlight,
      unseenPictures: this.#unseenPictures,
      tools: this.#describeTools(),
      ...(this.#lastSuccessAt !== undefined && { lastSuccessAt: this.#lastSuccessAt }),
      ...(this.#lastError && { lastError: this.#lastError }),
    };
  }

  #describeTools(): ToolLosses {
    const losses = this.#tools.snapshot();
    const { searchLostReason: reason } = losses;
    if (reason === undefined) return losses;
    return { ...losses, searchLostReason: terminalSafe(shortenErrorMessage(reason, this.#redact)) };
  }
}
