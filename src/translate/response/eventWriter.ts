import type { ApiError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { errorEvent } from '../../protocol/anthropic/errors.ts';
import type { MessageTail, MessageUsage, ServerToolBlock, StopReason } from '../../protocol/anthropic/message.ts';
import type { MessageSink } from './blocks.ts';

export interface MessageHead {
  readonly id: string;
  /** The model that the client asked for. */
  readonly model: string;
  /** Estimated tokens of the request. */
  readonly inputEstimate: number;
  readonly tail: MessageTail;
}

/**
 * Writes Anthropic's events as text. Only strings go through JSON.stringify; whatever is the same for every
 * delta of a block is put together once, when the block opens. There is no `[DONE]`.
 */
export class EventWriter implements MessageSink {
  readonly #head: MessageHead;
  #text = '';
  #index = -1;
  /** Everything of a delta event that stands before its string. */
  #delta = '';

  constructor(head: MessageHead) {
    this.#head = head;
  }

  /** The text written since the last call. */
  take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }

  start(): void {
    const usage: MessageUsage = {
      input_tokens: this.#head.inputEstimate,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 1,
    };
    const message = {
      id: this.#head.id,
      type: 'message',
      role: 'assistant',
      model: this.#head.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage,
    };
    this.#text += `event: message_start\ndata: ${JSON.stringify({ type: 'message_start', message })}\n\n`;
  }

  openThinking(): void {
    this.#open('{"type":"thinking","thinking":"","signature":""}', 'thinking_delta', 'thinking');
  }

  openText(): void {
    this.#open('{"type":"text","text":""}', 'text_delta', 'text');
  }

  openTool(id: string, name: string, fields: JsonObject): void {
    const block = JSON.stringify({ type: 'tool_use', id, name, input: {}, ...fields });
    this.#open(block, 'input_json_delta', 'partial_json');
  }

  writeBlock(block: ServerToolBlock): void {
    if (block.type === 'server_tool_use') {
      this.#open(JSON.stringify({ ...block, input: {} }), 'input_json_delta', 'partial_json');
      this.append(JSON.stringify(block.input));
    } else {
      this.#open(JSON.stringify(block), '', '');
    }
    this.close();
  }

  cite(citations: readonly JsonObject[]): void {
    for (const citation of citations) {
      this.#text += `${this.#deltaStart('citations_delta', 'citation') + JSON.stringify(citation)}}}\n\n`;
    }
  }

  append(text: string): void {
    this.#text += `${this.#delta + JSON.stringify(text)}}}\n\n`;
  }

  sign(signature: string): void {
    this.#text += `${this.#deltaStart('signature_delta', 'signature') + JSON.stringify(signature)}}}\n\n`;
  }

  close(): void {
    this.#text += `event: content_block_stop\ndata: {"type":"content_block_stop","index":${this.#index}}\n\n`;
  }

  finish(stopReason: StopReason, stopSequence: string | null, usage: MessageUsage): void {
    const delta = { stop_reason: stopReason, stop_sequence: stopSequence, ...this.#head.tail };
    const data = JSON.stringify({ type: 'message_delta', delta, usage });
    this.#text += `event: message_delta\ndata: ${data}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n`;
  }

  fail(error: ApiError): void {
    this.#text += errorEvent(error);
  }

  #open(block: string, deltaType: string, member: string): void {
    this.#index += 1;
    this.#delta = this.#deltaStart(deltaType, member);
    this.#text += `event: content_block_start\ndata: {"type":"content_block_start","index":${this.#index},"content_block":${block}}\n\n`;
  }

  #deltaStart(type: string, member: string): string {
    return `event: content_block_delta\ndata: {"type":"content_block_delta","index":${this.#index},"delta":{"type":"${type}","${member}":`;
  }
}
