import { ApiError } from '../../core/errors.ts';
import { asNumber, asString, isObject, type JsonObject, tokenCount } from '../../core/json.ts';
import { parseBoundedObject, WRITTEN_MAX } from '../bounds.ts';
import type { Usage } from '../delta.ts';
import { SseReader } from '../sse.ts';

export type StopReason =
  | 'end_turn'
  | 'tool_use'
  | 'max_tokens'
  | 'stop_sequence'
  | 'refusal'
  | 'model_context_window_exceeded';

/** Usage as Anthropic writes it; `input_tokens` excludes both cache figures. */
export interface MessageUsage {
  input_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
  output_tokens: number;
  /** Searches of the web that the server has done; only where there were any. */
  server_tool_use?: { web_search_requests: number };
}

export type MessageBlock =
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'text'; text: string; citations?: JsonObject[] }
  | ({ type: 'tool_use'; id: string; name: string; input: JsonObject } & JsonObject)
  | ServerToolBlock;

/** A tool that the server has run by itself, and its result. */
export type ServerToolBlock =
  | { type: 'server_tool_use'; id: string; name: 'web_search'; input: { query: string } }
  | { type: 'web_search_tool_result'; tool_use_id: string; content: JsonObject | JsonObject[] };

/** A complete answer of the Messages API. */
export interface Message {
  id: string;
  type: 'message';
  role: 'assistant';
  model: string;
  content: MessageBlock[];
  stop_reason: StopReason;
  stop_sequence: string | null;
  usage: MessageUsage;
  /** Answers to the safety checks that the request asks for. */
  safeguard_results?: readonly JsonObject[];
}

/** What stands beside the stop reason only when the request asks for it. */
export type MessageTail = Pick<Message, 'safeguard_results'>;

/** Fields of a block that come in pieces, by the delta that brings them. */
const PIECES: Readonly<Record<string, string>> = {
  text_delta: 'text',
  thinking_delta: 'thinking',
  signature_delta: 'signature',
};

/** What a piece of a message costs beside its own letters. */
const PIECE_COST = 16;

/** Puts a message together out of the event stream in which it is sent. */
export class MessageAssembler {
  readonly #sse = new SseReader((data, event) => this.read(data, event));
  #message: JsonObject | undefined;
  readonly #blocks: JsonObject[] = [];
  /** The arguments of tools so far, by block. */
  readonly #inputs = new Map<JsonObject, string>();
  #isComplete = false;
  #size = 0;

  /** Takes the next part of the stream, cut anywhere. */
  push(output: string | Uint8Array): void {
    this.#sse.push(typeof output === 'string' ? Buffer.from(output) : output);
  }

  /** The whole message; undefined when the stream has ended before it was complete, or is too large or too deep to be read. */
  end(): JsonObject | undefined {
    this.#sse.end();
    if (this.#message === undefined || !this.#isComplete || this.#size > WRITTEN_MAX) return undefined;
    return { ...this.#message, content: this.#blocks };
  }

  /**
   * Takes the next event, where somebody else takes the stream apart.
   * @returns what it is when parsed; undefined where the message has become too large or too deep to be read
   */
  read(data: string, event: string | undefined): JsonObject | undefined {
    this.#size += data.length + PIECE_COST;
    if (this.#size > WRITTEN_MAX) return undefined;
    try {
      const frame = parseBoundedObject(data) ?? {};
      this.#readFrame(frame, event);
      return frame;
    } catch (error) {
      // Whoever hands the stream on meanwhile goes on with it.
      if (!(error instanceof ApiError)) throw error;
      this.#size = Number.POSITIVE_INFINITY;
      return undefined;
    }
  }

  #readFrame(frame: JsonObject, event: string | undefined): void {
    const type = event ?? asString(frame['type']);
    if (type === 'message_start' && isObject(frame['message'])) this.#message = { ...frame['message'] };
    else if (type === 'message_delta') this.#readTail(frame);
    else if (type === 'message_stop') this.#isComplete = true;
    else this.#readBlock(type, frame);
  }

  #readTail({ delta, usage }: JsonObject): void {
    const before = this.#message?.['usage'];
    this.#message = {
      ...this.#message,
      ...(isObject(delta) ? delta : {}),
      usage: { ...(isObject(before) ? before : {}), ...(isObject(usage) ? usage : {}) },
    };
  }

  #readBlock(type: string | undefined, frame: JsonObject): void {
    const index = asNumber(frame['index']) ?? -1;
    if (type === 'content_block_start' && isObject(frame['content_block']) && index === this.#blocks.length) {
      this.#blocks.push({ ...frame['content_block'] });
    }
    const block = this.#blocks[index];
    if (block === undefined) return;
    if (type === 'content_block_delta' && isObject(frame['delta'])) this.#grow(block, frame['delta']);
    if (type === 'content_block_stop') {
      const input = parseBoundedObject(this.#inputs.get(block) ?? '');
      if (input !== undefined) block['input'] = input;
    }
  }

  #grow(block: JsonObject, delta: JsonObject): void {
    const type = asString(delta['type']) ?? '';
    const field = PIECES[type];
    if (field !== undefined) block[field] = (asString(block[field]) ?? '') + (asString(delta[field]) ?? '');
    else if (type === 'input_json_delta') {
      this.#inputs.set(block, (this.#inputs.get(block) ?? '') + (asString(delta['partial_json']) ?? ''));
    } else if (type === 'citations_delta' && delta['citation'] !== undefined) {
      const citations = Array.isArray(block['citations']) ? block['citations'] : [];
      citations.push(delta['citation']);
      block['citations'] = citations;
    }
  }
}

/** Token counts from a `usage` in Anthropic's own words, whose input leaves both cache figures out; undefined when it names none. */
export function readAnthropicUsage(usage: unknown): Usage | undefined {
  if (!isObject(usage)) return undefined;
  const input = tokenCount(usage['input_tokens']);
  const output = tokenCount(usage['output_tokens']);
  if (input === undefined && output === undefined) return undefined;
  return {
    input: input ?? 0,
    output: output ?? 0,
    cacheRead: tokenCount(usage['cache_read_input_tokens']) ?? 0,
    cacheWrite: tokenCount(usage['cache_creation_input_tokens']) ?? 0,
  };
}
