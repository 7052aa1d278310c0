import { request as httpRequest } from 'node:http';
import { asNumber, asString, isObject, type JsonObject, parseObject } from '../../core/json.ts';

export interface AnswerError {
  /** Anthropic's type of the error. */
  readonly type: string;
  readonly message: string;
}

export interface ToolUse {
  readonly id: string;
  readonly name: string;
  readonly input: JsonObject;
}

/** Tokens of one answer. */
export interface AnswerUsage {
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly output: number;
}

/** What came back from an instance for one streamed message. */
export interface Answer {
  readonly error: AnswerError | undefined;
  /** The blocks as they go back in the next turn. */
  readonly content: readonly JsonObject[];
  readonly text: string;
  readonly thinking: string;
  readonly toolUses: readonly ToolUse[];
  readonly stopReason: string | undefined;
  readonly usage: AnswerUsage;
  /** In how many pieces text, thinking and arguments came. */
  readonly pieces: number;
  /** Until the first piece, in ms; undefined when there was none. */
  readonly firstPieceMs: number | undefined;
  /** Until the end, in ms. */
  readonly totalMs: number;
  /** Whether another model or provider has answered in place of the one that was asked for. */
  readonly isFallback?: boolean;
}

/** How to reach an instance. */
export interface ClientOptions {
  /** `http://127.0.0.1:8081` */
  readonly baseUrl: string;
  /** Headers that carry the instance's token and the user's key, as far as there are any. */
  readonly credentials: Readonly<Record<string, string>>;
  /** How long one answer may take, in ms. */
  readonly timeoutMs: number;
}

const FIRST_PIECE = 'content_block_delta';

/** Sends one streamed message on the way that Claude Code takes. Never rejects: what goes wrong is the answer's error. */
export function sendMessage({ baseUrl, credentials, timeoutMs }: ClientOptions, fields: JsonObject): Promise<Answer> {
  const body = JSON.stringify({ ...fields, stream: true });
  const startedAt = performance.now();
  const elapsed = () => Math.round(performance.now() - startedAt);
  return new Promise((resolve) => {
    const request = httpRequest(`${baseUrl}/v1/messages`, {
      method: 'POST',
      agent: false,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'anthropic-version': '2023-06-01',
        'user-agent': 'claude-code-proxy manage test',
        ...credentials,
      },
    });
    const fail = (type: string, message: string) => {
      clearTimeout(deadline);
      resolve(failedAnswer({ type, message }, elapsed()));
      request.destroy();
    };
    const deadline = setTimeout(() => {
      fail('timeout_error', `no whole answer within ${timeoutMs / 1000} s; --timeout SECONDS allows more`);
    }, timeoutMs);
    const onBroken = (error: NodeJS.ErrnoException) =>
      fail('api_error', `the instance broke the connection (${error.code ?? error.message})`);
    request.on('error', onBroken);
    request.once('response', (response) => {
      let text = '';
      let firstPieceMs: number | undefined;
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
        if (firstPieceMs === undefined && text.includes(FIRST_PIECE)) firstPieceMs = elapsed();
      });
      response.once('error', onBroken);
      response.once('end', () => {
        clearTimeout(deadline);
        const isFallback = response.headers['x-fallback'] !== undefined;
        resolve(readAnswer(text, { firstPieceMs, totalMs: elapsed(), isFallback }));
      });
    });
    request.end(body);
  });
}

/** What is known of an answer besides its body. */
export interface Timing {
  readonly firstPieceMs: number | undefined;
  readonly totalMs: number;
  readonly isFallback?: boolean;
}

/** Reads the body of `POST /v1/messages` with `stream: true`: an event stream, or one JSON body with an error. */
export function readAnswer(body: string, timing: Timing): Answer {
  const events = readEvents(body);
  const isEnded = events.some(({ type }) => type === 'message_stop');
  const error = readError(events.find(({ type }) => type === 'error')) ?? readError(parseObject(body));
  const content = readContent(events);
  const end = events.find(({ type }) => type === 'message_delta')?.['delta'];
  return {
    error: error ?? (isEnded ? undefined : { type: 'api_error', message: 'the answer ended before it was complete' }),
    content,
    text: joined(content, 'text'),
    thinking: joined(content, 'thinking'),
    toolUses: content
      .filter(({ type }) => type === 'tool_use')
      .map(({ id, name, input }) => ({ id: String(id), name: String(name), input: isObject(input) ? input : {} })),
    stopReason: isObject(end) ? asString(end['stop_reason']) : undefined,
    usage: readUsage(events),
    pieces: events.filter(({ type, delta }) => type === 'content_block_delta' && isPiece(delta)).length,
    ...timing,
  };
}

function isPiece(delta: JsonObject[string]): boolean {
  return isObject(delta) && delta['type'] !== 'signature_delta';
}

/** An answer that never came. */
export function failedAnswer(error: AnswerError, totalMs: number): Answer {
  return { ...readAnswer('', { firstPieceMs: undefined, totalMs }), error };
}

/** The data of every event of an event stream. */
function readEvents(body: string): JsonObject[] {
  return [...body.matchAll(/^data: ?(.*)$/gm)].map((match) => parseObject(match[1] ?? '')).filter(isObject);
}

interface OpenBlock {
  readonly block: JsonObject;
  readonly argumentsText: string[];
}

function readContent(events: readonly JsonObject[]): JsonObject[] {
  const blocks = new Map<number, OpenBlock>();
  for (const event of events) {
    const index = asNumber(event['index']) ?? 0;
    const { content_block: block, delta } = event;
    if (isObject(block)) blocks.set(index, { block: { ...block }, argumentsText: [] });
    const open = blocks.get(index);
    if (event['type'] === 'content_block_delta' && open !== undefined && isObject(delta)) applyDelta(open, delta);
  }
  return [...blocks.values()].map(closeBlock);
}

function applyDelta({ block, argumentsText }: OpenBlock, delta: JsonObject): void {
  for (const field of ['text', 'thinking', 'signature']) {
    const piece = asString(delta[field]);
    if (piece !== undefined) grow(block, field, piece);
  }
  const piece = asString(delta['partial_json']);
  if (piece !== undefined) argumentsText.push(piece);
}

function grow(block: JsonObject, field: string, piece: string): void {
  block[field] = (asString(block[field]) ?? '') + piece;
}

function closeBlock({ block, argumentsText }: OpenBlock): JsonObject {
  return argumentsText.length === 0 ? block : { ...block, input: parseObject(argumentsText.join('')) ?? {} };
}

function readUsage(events: readonly JsonObject[]): AnswerUsage {
  const usages = events.map(({ message, usage }) => (isObject(message) ? message['usage'] : usage)).filter(isObject);
  const count = (name: string) => asNumber(usages.findLast((fields) => name in fields)?.[name]) ?? 0;
  return {
    input: count('input_tokens'),
    cacheRead: count('cache_read_input_tokens'),
    cacheWrite: count('cache_creation_input_tokens'),
    output: count('output_tokens'),
  };
}

function readError(holder: JsonObject | undefined): AnswerError | undefined {
  const error = holder?.['error'];
  if (!isObject(error)) return undefined;
  return { type: asString(error['type']) ?? 'api_error', message: asString(error['message']) ?? 'no reason given' };
}

/** The whole text of one kind of block. */
function joined(content: readonly JsonObject[], field: 'text' | 'thinking'): string {
  return content.map((block) => asString(block[field]) ?? '').join('');
}
