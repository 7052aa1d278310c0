import { isObject, type JsonObject } from '../../core/json.ts';
import type {
  Message,
  MessageBlock,
  MessageTail,
  MessageUsage,
  ServerToolBlock,
  StopReason,
} from '../../protocol/anthropic/message.ts';
import { checkWrittenSize } from '../../protocol/bounds.ts';
import type { MessageSink } from './blocks.ts';
import { countValues, parseArguments } from './toolArguments.ts';

/**
 * The input of a tool_use block out of its arguments text. Text that is no JSON object is handed on under the name that
 * Claude Code itself gives to such text when it comes in a stream (`__unparsedToolInput`, seen in 2.1.328), so that it
 * informs the model of the mistake in both modes alike; an empty input would look like missing parameters.
 */
export function parseToolInput(text: string): JsonObject {
  if (text === '') return {};
  const input = parseArguments(text);
  return isObject(input) ? input : { __unparsedToolInput: { raw: text, len: text.length } };
}

/** What a piece of text, a block and a value of a tool's input cost beside their letters, in bytes. */
const PIECE_COST = 16;
const BLOCK_COST = 128;
const VALUE_COST = 40;

/** Builds the message of a non-streaming answer from the same state machine that writes the events. */
export class MessageBuilder implements MessageSink {
  readonly #id: string;
  readonly #model: string;
  readonly #tail: MessageTail;
  readonly #content: MessageBlock[] = [];
  #open: MessageBlock = { type: 'text', text: '' };
  #text = '';
  /** What is gathered, in bytes; pieces count more than their letters. */
  size = 0;
  /** Undefined until the answer is complete, and when it has failed. */
  message: Message | undefined;

  constructor(id: string, model: string, tail: MessageTail) {
    this.#id = id;
    this.#model = model;
    this.#tail = tail;
  }

  start(): void {}

  openThinking(): void {
    this.#begin({ type: 'thinking', thinking: '', signature: '' });
  }

  openText(): void {
    this.#begin({ type: 'text', text: '' });
  }

  openTool(id: string, name: string, fields: JsonObject): void {
    this.#begin({ type: 'tool_use', id, name, input: {}, ...fields });
  }

  writeBlock(block: ServerToolBlock): void {
    this.#content.push(block);
    this.size += BLOCK_COST + JSON.stringify(block).length;
  }

  cite(citations: readonly JsonObject[]): void {
    if (this.#open.type === 'text') this.#open.citations = [...citations];
    this.size += JSON.stringify(citations).length;
  }

  append(text: string): void {
    this.#text += text;
    this.size += text.length + PIECE_COST;
  }

  sign(signature: string): void {
    if (this.#open.type === 'thinking') this.#open.signature = signature;
  }

  /** Throws an ApiError for an answer that is too large. */
  close(): void {
    const block = this.#open;
    if (block.type === 'text') block.text = this.#text;
    else if (block.type === 'thinking') block.thinking = this.#text;
    else if (block.type === 'tool_use') {
      this.size += VALUE_COST * countValues(this.#text);
      checkWrittenSize(this.size);
      block.input = parseToolInput(this.#text);
    }
  }

  finish(stopReason: StopReason, stopSequence: string | null, usage: MessageUsage): void {
    this.message = {
      id: this.#id,
      type: 'message',
      role: 'assistant',
      model: this.#model,
      content: this.#content,
      stop_reason: stopReason,
      stop_sequence: stopSequence,
      usage,
      ...this.#tail,
    };
  }

  fail(): void {}

  #begin(block: MessageBlock): void {
    this.#content.push(block);
    this.size += BLOCK_COST;
    this.#open = block;
    this.#text = '';
  }
}
