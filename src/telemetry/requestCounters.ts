import type { Clock } from '../core/clock.ts';
import { tokenCount } from '../core/json.ts';
import { terminalSafe } from '../core/text.ts';
import { type RequestRecord, shortenErrorMessage } from './requestRecord.ts';

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
  lastSuccessAt?: number;
  lastError?: LastError;
}

export class RequestCounters {
  readonly #clock: Clock;
  readonly #redact: (text: string) => string;
  readonly #requests = { total: 0, ok: 0, rejected: 0, failed: 0, clientClosed: 0 };
  readonly #tokens = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 };
  readonly #searches: CountersSnapshot['searches'] = { done: 0, failed: 0, refused: 0 };
  #inFlight = 0;
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

  finish(record: RequestRecord): void {
    this.#inFlight -= 1;
    this.addTokens(record);
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
      ...(this.#lastSuccessAt !== undefined && { lastSuccessAt: this.#lastSuccessAt }),
      ...(this.#lastError && { lastError: this.#lastError }),
    };
  }
}
