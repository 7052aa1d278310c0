import type { WebSearchConfig } from '../config/config.ts';
import { parseBoundedObject } from '../protocol/bounds.ts';
import type { SearchQuestion } from '../providers/searchApis.ts';
import { type ConnectionOptions, HttpUpstream } from '../upstream/client.ts';
import type { ResponseHeaders, UpstreamHandler, UpstreamRequest } from '../upstream/upstream.ts';
import { HistoryMemory } from './history.ts';
import { readPages, type SearchErrorCode, type SearchOutcome, type SearchWishes, toQuestion } from './pages.ts';

/** How long one request to the search API may take, in ms; it is made at most twice. */
const REQUEST_MS = 10_000;
/** Largest answer that is read. */
const ANSWER_MAX = 2 * 1024 * 1024;
/** Longest pause before the second try, in ms; who asks for more is not asked again. */
const PAUSE_MAX_MS = 2000;
const PAUSE_MS = 300;

interface Reply {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly text: string;
}

/** Why there is no reply: nobody waits for it any more, it took too long, or the connection failed. */
type NoReply = 'aborted' | 'late' | 'large' | 'broken';

/** Gathers one answer, and settles once. */
class ReplyHandler implements UpstreamHandler {
  readonly #settle: (result: Reply | NoReply) => void;
  #status = 0;
  #headers: ResponseHeaders = {};
  readonly #parts: Uint8Array[] = [];
  #size = 0;

  constructor(settle: (result: Reply | NoReply) => void) {
    this.#settle = settle;
  }

  onHead(status: number, headers: ResponseHeaders): void {
    this.#status = status;
    this.#headers = headers;
  }

  onData(bytes: Uint8Array): void {
    this.#size += bytes.length;
    if (this.#size > ANSWER_MAX) this.#settle('large');
    else this.#parts.push(bytes);
  }

  onEnd(): void {
    this.#settle({ status: this.#status, headers: this.#headers, text: Buffer.concat(this.#parts).toString('utf8') });
  }

  onError(): void {
    this.#settle('broken');
  }
}

/** What a status of a search API means, in the codes of Anthropic's own search. */
function errorOfStatus(status: number): SearchErrorCode {
  // 432 and 433 are of an account whose plan is used up.
  if (status === 429 || status === 432 || status === 433) return 'too_many_requests';
  if (status === 400 || status === 422) return 'invalid_input';
  return status === 413 || status === 414 ? 'query_too_long' : 'unavailable';
}

/** What stands behind a status, for the log and the user. */
function explain(status: number, isKeyless: boolean): string {
  if (status === 401) return 'it refuses the key (SEARCH_API_KEY)';
  if (status === 402 || status === 432 || status === 433)
    return 'its account has no credit left, or its plan is used up';
  if (status === 403)
    return isKeyless ? 'it refuses answers in JSON (docs/SEARCH.md)' : 'it refuses the key (SEARCH_API_KEY)';
  return status === 429 ? 'its limit of requests is reached' : `it answered with status ${status}`;
}

const NO_REPLY: Readonly<Record<NoReply, string>> = {
  aborted: 'nobody waits for it any more',
  late: `no answer within ${REQUEST_MS / 1000} s`,
  large: `an answer of more than ${ANSWER_MAX} bytes`,
  broken: 'it cannot be reached',
};

/**
 * Asks the search API of an instance, by the network settings of the instance. Opens no connection before the first search. A search
 * fails with a code for the model, never by throwing.
 */
export class SearchClient {
  readonly config: WebSearchConfig;
  /** Of the conversations in which it has searched. */
  readonly history = new HistoryMemory();
  readonly #connect: () => HttpUpstream;
  readonly #requestMs: number;
  #upstream: HttpUpstream | undefined;

  /**
   * @param connection makes the options of the connection when it is first needed
   * @param requestMs how long one request to the search API may take, in ms
   */
  constructor(
    config: WebSearchConfig,
    connection: () => Omit<ConnectionOptions, 'headersTimeoutMs'>,
    requestMs = REQUEST_MS,
  ) {
    this.config = config;
    this.#requestMs = requestMs;
    const { endpoint, api } = config;
    this.#connect = () =>
      new HttpUpstream({
        endpoint,
        keyHeader: api.keyHeader ?? 'authorization',
        headers: {},
        ...connection(),
        // The search has its own time limit, which is the first to end.
        headersTimeoutMs: 2 * requestMs,
      });
  }

  /** @param signal ends the search early */
  async search(query: string, wishes: SearchWishes, signal: AbortSignal): Promise<SearchOutcome> {
    const { api } = this.config;
    const question = toQuestion(query, wishes, api);
    if ('error' in question) return question;
    let reply = await this.#ask(question, signal);
    const pauseMs = pauseBeforeRetry(reply);
    if (pauseMs !== undefined && !signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      if (!signal.aborted) reply = await this.#ask(question, signal);
    }
    if (typeof reply === 'string') return { error: 'unavailable', reason: NO_REPLY[reply] };
    if (reply.status < 200 || reply.status > 299) {
      return { error: errorOfStatus(reply.status), reason: explain(reply.status, api.keyHeader === undefined) };
    }
    try {
      return { pages: readPages(api, parseBoundedObject(reply.text), wishes) };
    } catch {
      return { error: 'unavailable', reason: 'its answer is not that of a search API' };
    }
  }

  async close(): Promise<void> {
    await this.#upstream?.close();
  }

  #ask(question: SearchQuestion, signal: AbortSignal): Promise<Reply | NoReply> {
    this.#upstream ??= this.#connect();
    const { promise, resolve } = Promise.withResolvers<Reply | NoReply>();
    const call = this.#upstream.send(this.#describe(question), new ReplyHandler(resolve));
    const timer = setTimeout(() => resolve('late'), this.#requestMs);
    const onAbort = () => resolve('aborted');
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      // Of a call that is over there is nothing left to abort.
      call.abort();
    });
  }

  #describe(question: SearchQuestion): UpstreamRequest {
    const { api, endpoint, key } = this.config;
    const secret = key?.reveal();
    const bearer = api.keyHeader === 'authorization' ? 'Bearer ' : '';
    const parameters = api.parameters?.(question);
    return {
      body: JSON.stringify(api.body?.(question) ?? {}),
      stream: false,
      model: '',
      authorization: secret === undefined || api.keyHeader === undefined ? undefined : bearer + secret,
      ...(parameters === undefined ? {} : { lookUp: `${endpoint}?${new URLSearchParams(parameters)}` }),
    };
  }
}

/** How long to wait before a search is tried a second time, in ms; undefined where that is of no use. */
function pauseBeforeRetry(reply: Reply | NoReply): number | undefined {
  if (reply === 'broken') return PAUSE_MS;
  if (typeof reply === 'string') return undefined;
  if (reply.status >= 500) return PAUSE_MS;
  if (reply.status !== 429) return undefined;
  const wanted = Number(reply.headers['retry-after'] ?? 1) * 1000;
  return wanted >= 0 && wanted <= PAUSE_MAX_MS ? Math.max(wanted, PAUSE_MS) : undefined;
}
