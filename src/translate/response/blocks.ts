import type { ApiError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { MessageUsage, ServerToolBlock, StopReason } from '../../protocol/anthropic/message.ts';
import type { Citation, WebPage } from '../../protocol/delta.ts';
import type { OutcomeRecord } from './context.ts';

export type BlockKind = 'thinking' | 'text' | 'tool';

/**
 * What the state machine says; one implementation writes events, the other builds the message. The machine keeps the
 * grammar: start comes first and once, at most one block is open, append fits the open block, finish or fail comes
 * last.
 */
export interface MessageSink {
  start(): void;
  openThinking(): void;
  openText(): void;
  /** `fields` are extra members of the block that must come back with it. */
  openTool(id: string, name: string, fields: JsonObject): void;
  /** A block that says all at once. */
  writeBlock(block: ServerToolBlock): void;
  /** What the open text rests on. */
  cite(citations: readonly JsonObject[]): void;
  /** Adds to the open block: thinking, text, or arguments as JSON text. Well-formed Unicode. */
  append(text: string): void;
  /** The signature of the open thinking block, just before it is closed. */
  sign(signature: string): void;
  close(): void;
  finish(stopReason: StopReason, stopSequence: string | null, usage: MessageUsage): void;
  /** The answer has failed after its start. An unfinished block stays open. */
  fail(error: ApiError): void;
}

/**
 * The content blocks of one message: one open at a time, opening another closes it, and the message starts with
 * the first of them. Also joins letters that a provider cut into two deltas, and replaces halves that stay alone.
 */
export class ContentBlocks {
  readonly #sink: MessageSink;
  readonly #outcome: OutcomeRecord;
  readonly #signature: () => string;
  /** The block that is open. */
  open: BlockKind | undefined;
  /** Blocks begun so far. */
  count = 0;
  /** UTF-8 length of everything that was appended. */
  bytes = 0;
  /** First half of a surrogate pair, waiting for the second. */
  #half = '';

  /** `signature` gives what a thinking block is signed with when it closes. */
  constructor(sink: MessageSink, outcome: OutcomeRecord, signature: () => string) {
    this.#sink = sink;
    this.#outcome = outcome;
    this.#signature = signature;
  }

  /** Begins the message if it has not begun. */
  start(): void {
    if (this.#outcome.started) return;
    this.#outcome.started = true;
    this.#sink.start();
  }

  openThinking(): void {
    this.#begin('thinking');
    this.#sink.openThinking();
  }

  openText(): void {
    this.#begin('text');
    this.#sink.openText();
  }

  openTool(id: string, name: string, fields: JsonObject): void {
    this.#begin('tool');
    this.#outcome.toolCalls += 1;
    this.#sink.openTool(id, name, fields);
  }

  /** A block that says all at once. */
  write(block: ServerToolBlock): void {
    this.#begin('tool');
    this.open = undefined;
    this.#sink.writeBlock(block);
  }

  /** Adds sources to the text that is open. */
  cite(citations: readonly JsonObject[]): void {
    if (this.open === 'text') this.#sink.cite(citations);
  }

  /** Adds to the open block. */
  append(text: string): void {
    let whole = text;
    if (this.#half !== '') {
      whole = this.#half + text;
      this.#half = '';
    }
    if ((whole.charCodeAt(whole.length - 1) & 0xfc00) === 0xd800) {
      this.#half = whole.slice(-1);
      whole = whole.slice(0, -1);
    }
    if (whole !== '') this.#write(whole);
  }

  close(): void {
    if (this.open === undefined) return;
    if (this.#half !== '') {
      this.#write(this.#half);
      this.#half = '';
    }
    if (this.open === 'thinking') this.#sink.sign(this.#signature());
    this.#sink.close();
    this.open = undefined;
  }

  #begin(kind: BlockKind): void {
    this.close();
    this.start();
    this.open = kind;
    this.count += 1;
  }

  #write(text: string): void {
    const outcome = this.#outcome;
    if (this.open === 'text') outcome.textCharacters += text.length;
    else if (this.open === 'thinking') outcome.thinkingCharacters += text.length;
    else outcome.argumentCharacters += text.length;
    this.bytes += Buffer.byteLength(text);
    this.#sink.append(text.isWellFormed() ? text : text.toWellFormed());
  }
}

/** The provider's searches of the web as Anthropic writes its own: a call of the server's tool, and its result. */
export class SearchBlocks {
  readonly #blocks: ContentBlocks;
  readonly #createToolId: () => string;
  /** Searches without a result so far. */
  readonly #open: string[] = [];
  #count = 0;

  constructor(blocks: ContentBlocks, createToolId: () => string) {
    this.#blocks = blocks;
    this.#createToolId = createToolId;
  }

  /** What stands in the usage of the answer about them. */
  get usage(): Pick<MessageUsage, 'server_tool_use'> {
    return this.#count === 0 ? {} : { server_tool_use: { web_search_requests: this.#count } };
  }

  begin(query: string): void {
    const id = `srv${this.#createToolId()}`;
    this.#count += 1;
    this.#open.push(id);
    this.#blocks.write({ type: 'server_tool_use', id, name: 'web_search', input: { query } });
  }

  /** The result of the first search that has none. @param pages undefined where it has failed */
  end(pages: readonly WebPage[] | undefined): void {
    const id = this.#open.shift();
    if (id === undefined) return;
    const content =
      pages === undefined
        ? { type: 'web_search_tool_result_error', error_code: 'unavailable' }
        : pages.map(({ url, title }) => ({
            type: 'web_search_result',
            url: url.toWellFormed(),
            title: title.toWellFormed(),
            encrypted_content: '',
            page_age: null,
          }));
    this.#blocks.write({ type: 'web_search_tool_result', tool_use_id: id, content });
  }
}

export function toCitation({ url, title, text }: Citation): JsonObject {
  return {
    type: 'web_search_result_location',
    url: url.toWellFormed(),
    title: title.toWellFormed(),
    encrypted_index: '',
    cited_text: text.toWellFormed(),
  };
}
