import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { ApiError } from '../core/errors.ts';
import { asNumber, asString, isObject, type JsonObject, parseObject } from '../core/json.ts';
import { errorEvent, PING_EVENT } from '../protocol/anthropic/errors.ts';
import { MessageAssembler } from '../protocol/anthropic/message.ts';
import type { ContentBlock, MessagesRequest } from '../protocol/anthropic/request.ts';
import {
  isSearchCall,
  listPages,
  type OfferedSearch,
  queryOfCall,
  queryOfClient,
  type SearchPermission,
  toResultBlock,
  toServerCall,
  toToolRequestInSteps,
} from './history.ts';
import type { SearchOutcome } from './pages.ts';
import { type ClientWriter, JoinedAnswer, Round } from './round.ts';
import type { SearchClient } from './searchClient.ts';

/** After so long in one request the model is asked for its answer, in ms. */
const SEARCHING_MS = 300_000;

/** The same when so many letters stand in its answers, all of which each further question repeats. */
const SEARCHING_LETTERS = 1_000_000;

/** So many calls beyond those that are allowed get an answer that says so; what a model asks for after that is left out. */
const REFUSED_MAX = 10;

/** So long the blocks of an answer are written at a stretch, in ms; then everything else has its turn. */
const STRETCH_MS = 5;

/** What a request with searches is answered by. */
export interface SearchContext {
  readonly client: SearchClient;
  readonly search: OfferedSearch;
  readonly writer: ClientWriter;
  /** Ends everything early. */
  readonly signal: AbortSignal;
  readonly pingMs: number;
  /** A new id of Anthropic's form. */
  readonly createId: (prefix: string) => string;
  /**
   * Asks the model and writes its answer as a stream; resolves when it has ended, whether well or by an error event.
   * @param request makes it in steps
   * @throws ApiError where it has not begun
   */
  readonly ask: (request: Generator<void, MessagesRequest>, writer: ClientWriter) => Promise<void>;
}

/** What becomes of the searches of a request, for its line in the log. */
export interface SearchReport {
  /** Answered by the search API, as far as that costs. */
  searches: number;
  failed: number;
  /** Why the last one failed. */
  reason?: string;
  /** Whether the pages were listed by this proxy, as no model wrote an answer. */
  isListed: boolean;
  /** The error with which an open stream was ended. */
  error?: ApiError;
}

/** Gives the client one message in place of a stream: its writer for a request that is not streamed. */
class WholeWriter implements ClientWriter {
  readonly #writer: ClientWriter;
  readonly #assembler = new MessageAssembler();
  #headers: Readonly<Record<string, string>> = {};

  constructor(writer: ClientWriter) {
    this.#writer = writer;
  }

  sendJson(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    this.#writer.sendJson(status, headers, body);
  }

  openStream(headers: Readonly<Record<string, string>> = {}): void {
    this.#headers = headers;
  }

  write(output: string | Uint8Array): boolean {
    this.#assembler.push(output);
    return true;
  }

  end(output: string | Uint8Array): void {
    this.write(output);
    const message = this.#assembler.end();
    if (message === undefined) throw new ApiError('bad_gateway', 'the answer is too large');
    this.#writer.sendJson(200, this.#headers, JSON.stringify(message));
  }

  onDrain(): void {}

  onGone(listener: () => void): void {
    this.#writer.onGone(listener);
  }
}

const COUNTS = ['input_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens', 'output_tokens'] as const;

/** Answers one request whose searches this proxy does itself: a loop of the model's answers and the searches that they ask for. */
class SearchLoop {
  readonly #context: SearchContext;
  readonly #request: MessagesRequest;
  readonly #answer: JoinedAnswer;
  readonly #isStream: boolean;
  readonly #usage: Record<(typeof COUNTS)[number], number> = {
    input_tokens: 0,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: 0,
  };
  readonly #startedAt = performance.now();
  /** What the client has got of the answer. */
  readonly #content: ContentBlock[] = [];
  #uses = 0;
  /** Of the content that the model has written. */
  #letters = 0;
  #hasFailed = false;
  readonly #report: SearchReport;

  constructor(context: SearchContext, request: MessagesRequest, report: SearchReport) {
    this.#context = context;
    this.#request = request;
    this.#report = report;
    this.#isStream = request['stream'] === true;
    this.#answer = new JoinedAnswer(this.#isStream ? context.writer : new WholeWriter(context.writer));
  }

  async run(): Promise<void> {
    const query = this.#context.search.isAlone ? queryOfClient(this.#request) : undefined;
    if (query !== undefined) await this.#answerClient(query);
    else while (await this.#nextRound(this.#permission()));
  }

  /**
   * Claude Code's own search: the query is known, so that one search and one answer are enough. Where no model can write it, the
   * pages are listed.
   */
  async #answerClient(query: string): Promise<void> {
    const call = { type: 'tool_use', id: this.#context.createId('toolu_'), name: 'web_search', input: { query } };
    const outcome = await this.#searchFor(call);
    if (this.#isAborted()) return;
    this.#answer.prepare(this.#content);
    const hasPages = 'pages' in outcome && outcome.pages.length > 0;
    if (hasPages && (await this.#summarize())) return;
    if (this.#isAborted()) return;
    this.#report.isListed = hasPages;
    this.#beginByItself();
    this.#answer.writeBlock({ type: 'text', text: listPages(query, outcome) });
    this.#finish({ stop_reason: 'end_turn', stop_sequence: null });
  }

  /** Lets the model write its answer to pages that were found; false when it has written nothing. */
  async #summarize(): Promise<boolean> {
    try {
      const round = await this.#ask('mayNot');
      const { message, error } = round;
      const blocks = blocksOf(message).filter((block) => block['type'] !== 'tool_use');
      if (error !== undefined) round.closeBlock();
      if (error !== undefined || !blocks.some(({ type }) => type === 'text')) return false;
      for (const block of blocks.slice(round.forwarded)) this.#answer.writeBlock(block);
      this.#finish({
        ...round.delta,
        ...(round.delta['stop_reason'] === 'tool_use' ? { stop_reason: 'end_turn' } : {}),
      });
      return true;
    } catch (thrown) {
      if (!(thrown instanceof ApiError)) throw thrown;
      return false;
    }
  }

  /** Whether the model may search once more. */
  #permission(): SearchPermission {
    if (this.#content.length === 0) return 'asClientWants';
    const isOver = performance.now() - this.#startedAt > SEARCHING_MS || this.#letters > SEARCHING_LETTERS;
    return isOver || this.#uses > this.#context.search.maxUses ? 'mayNot' : 'maySearch';
  }

  /** One answer of the model, and the searches that it asks for; true when it shall go on with their results. */
  async #nextRound(permission: SearchPermission): Promise<boolean> {
    const round = await this.#askOrFail(permission);
    if (round === undefined) return false;
    const blocks = blocksOf(round.message);
    const { delta } = round;
    for (const block of blocks.slice(0, round.forwarded)) this.#keep(block);
    const isAsked = delta['stop_reason'] === 'tool_use' && permission !== 'mayNot';
    let restedAt = performance.now();
    for (const block of blocks.slice(round.forwarded)) {
      if (!isSearchCall(block)) this.#writeBlock(block);
      else if (isAsked && this.#uses < this.#context.search.maxUses + REFUSED_MAX) await this.#searchFor(block);
      if (performance.now() - restedAt > STRETCH_MS) {
        await yieldToEventLoop();
        restedAt = performance.now();
      }
      if (this.#isAborted()) return false;
    }
    const calls = blocks.filter(({ type }) => type === 'tool_use');
    if (isAsked && calls.length > 0 && calls.every(isSearchCall)) return true;
    const isOwnCall = calls.some((call) => !isSearchCall(call));
    this.#finish(delta['stop_reason'] === 'tool_use' && !isOwnCall ? { ...delta, stop_reason: 'end_turn' } : delta);
    return false;
  }

  /** Undefined when the client has got the error already. */
  async #askOrFail(permission: SearchPermission): Promise<Round | undefined> {
    try {
      const round = await this.#ask(permission);
      if (round.error === undefined && round.message !== undefined) return round;
      if (this.#isAborted()) return undefined;
      if (!this.#isStream) throw new ApiError('bad_gateway', messageOf(round.error));
      this.#failOpen(undefined, round.error ?? errorEvent(new ApiError('bad_gateway', messageOf(undefined))));
      return undefined;
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || !this.#isStream || !this.#answer.isOpen) throw thrown;
      this.#failOpen(thrown, errorEvent(thrown));
      return undefined;
    }
  }

  async #ask(permission: SearchPermission): Promise<Round> {
    const round = new Round(this.#answer);
    await this.#context.ask(this.#requestInSteps(permission), round);
    const usage = round.message?.['usage'];
    if (isObject(usage)) for (const name of COUNTS) this.#usage[name] += asNumber(usage[name]) ?? 0;
    return round;
  }

  *#requestInSteps(permission: SearchPermission): Generator<void, MessagesRequest> {
    const { client, search } = this.#context;
    const request = yield* toToolRequestInSteps(this.#request, search, this.#content, permission, client.history);
    return { ...request, stream: true };
  }

  /** Does a search for the model, and writes it with its result. */
  async #searchFor(call: JsonObject): Promise<SearchOutcome> {
    const serverCall = toServerCall(call);
    const outcome = await this.#find(queryOfCall(call));
    const result = toResultBlock(asString(serverCall['id']) ?? '', outcome);
    if (this.#answer.isOpen) {
      this.#answer.writeBlock(serverCall);
      this.#answer.writeBlock(result);
    }
    this.#keep(serverCall);
    this.#content.push(result);
    if ('pages' in outcome) this.#answer.addPages(outcome.pages);
    return outcome;
  }

  async #find(query: string): Promise<SearchOutcome> {
    const { client, search, signal, pingMs } = this.#context;
    this.#uses += 1;
    if (this.#uses > search.maxUses) return { error: 'max_uses_exceeded', reason: `at most ${search.maxUses}` };
    const pings = setInterval(() => {
      if (this.#isStream && this.#answer.isOpen) this.#answer.write(PING_EVENT);
    }, pingMs);
    const outcome = await client.search(query, search.wishes, signal).finally(() => clearInterval(pings));
    if (signal.aborted) return outcome;
    if ('error' in outcome) {
      this.#report.failed += 1;
      this.#report.reason = outcome.reason;
    } else {
      const isFree = outcome.pages.length === 0 && client.config.api.emptyIsFree === true;
      if (!isFree) this.#report.searches += 1;
    }
    return outcome;
  }

  #writeBlock(block: ContentBlock): void {
    this.#answer.writeBlock(block);
    this.#keep(block);
  }

  #keep(block: ContentBlock): void {
    this.#content.push(block);
    this.#letters += JSON.stringify(block).length;
  }

  /**
   * Whether the request has ended early: the client has gone, or the instance stops.
   * @throws the ApiError of an instance that stops, where the client has got nothing
   */
  #isAborted(): boolean {
    const { aborted, reason } = this.#context.signal;
    if (!aborted || !(reason instanceof ApiError)) return aborted;
    if (!this.#isStream || !this.#answer.isOpen) throw reason;
    this.#failOpen(reason, errorEvent(reason));
    return true;
  }

  /** Ends an open stream by an error event, once. */
  #failOpen(error: ApiError | undefined, event: string): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    if (error !== undefined) this.#report.error = error;
    this.#answer.fail(event);
  }

  /** Writes the head of a message that no model has begun. */
  #beginByItself(): void {
    this.#answer.begin({
      id: this.#context.createId('msg_'),
      type: 'message',
      role: 'assistant',
      model: this.#request.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { ...this.#usage },
    });
  }

  #finish(delta: JsonObject): void {
    const { searches } = this.#report;
    const counted = searches === 0 ? {} : { server_tool_use: { web_search_requests: searches } };
    this.#answer.finish(delta, { ...this.#usage, ...counted });
  }
}

function blocksOf(message: JsonObject | undefined): readonly ContentBlock[] {
  const content = message?.['content'];
  return Array.isArray(content) ? (content.filter(isObject) as ContentBlock[]) : [];
}

/** The words of an error event. */
function messageOf(event: string | undefined): string {
  const error = parseObject(event?.slice(event.indexOf('{')) ?? '')?.['error'];
  return (isObject(error) ? asString(error['message']) : undefined) ?? 'the answer ended before it was complete';
}

/**
 * Answers a request of the Messages API whose searches this proxy does itself, streamed or not.
 * @param report is filled in on the way
 * @throws ApiError for what can still have a status of its own
 */
export function answerWithSearch(
  context: SearchContext,
  request: MessagesRequest,
  report: SearchReport,
): Promise<void> {
  return new SearchLoop(context, request, report).run();
}

const REFUSAL = 'Web search is not available from this provider.';

/**
 * Answers a request whose only purpose is a web search that nobody can do: an honest failure, so that the user does not read "Did 0
 * searches" or an invented answer.
 */
export function refuseSearch(
  { writer, createId }: Pick<SearchContext, 'writer' | 'createId'>,
  request: MessagesRequest,
): void {
  const query = queryOfClient(request) ?? '';
  const call = toServerCall({ type: 'tool_use', id: createId('toolu_'), name: 'web_search', input: { query } });
  const result = toResultBlock(asString(call['id']) ?? '', { error: 'unavailable', reason: '' });
  const content = [call, result, { type: 'text', text: REFUSAL }];
  const usage = { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 };
  const message = {
    id: createId('msg_'),
    type: 'message',
    role: 'assistant',
    model: request.model,
    content,
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage,
  };
  if (request['stream'] !== true) {
    writer.sendJson(200, {}, JSON.stringify(message));
    return;
  }
  const answer = new JoinedAnswer(writer);
  answer.begin({ ...message, content: [], stop_reason: null });
  for (const block of content) answer.writeBlock(block);
  answer.finish({ stop_reason: 'end_turn', stop_sequence: null }, usage);
}

/** What is noted of a search that no candidate can do, which the proxy itself answers. */
export const SEARCH_REFUSED = 'web search refused';
