import { asString, isObject, type JsonObject, parseObject } from '../core/json.ts';
import { MessageAssembler } from '../protocol/anthropic/message.ts';
import { SseReader } from '../protocol/sse.ts';
import { isSearchCall, toCitation } from './history.ts';
import type { Page } from './pages.ts';

/** The client's side of an answer: the gateway's ResponseWriter, which may not be imported here, as the gateway imports this folder. */
export interface ClientWriter {
  sendJson(status: number, headers: Readonly<Record<string, string>>, body: string): void;
  openStream(headers?: Readonly<Record<string, string>>): void;
  /** False means that the client reads too slowly and that `onDrain` says when it can take more. */
  write(output: string | Uint8Array): boolean;
  end(output: string | Uint8Array): void;
  onDrain(listener: () => void): void;
  onGone(listener: () => void): void;
}

/** One event of Anthropic's streams as text. */
export function eventText(type: string, fields: JsonObject): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

/** Fields of a block that a stream sends in pieces, by the delta that brings them. */
const PIECES = [
  ['text', 'text_delta'],
  ['thinking', 'thinking_delta'],
  ['signature', 'signature_delta'],
] as const;

/** A whole block as the events of a stream. */
function blockText(index: number, block: JsonObject): string {
  const start = { ...block };
  const deltas: JsonObject[] = [];
  for (const [field, type] of PIECES) {
    const value = asString(block[field]);
    if (value === undefined || value === '') continue;
    start[field] = '';
    deltas.push({ type, [field]: value });
  }
  if (isObject(block['input'])) {
    start['input'] = {};
    deltas.push({ type: 'input_json_delta', partial_json: JSON.stringify(block['input']) });
  }
  return (
    eventText('content_block_start', { index, content_block: start }) +
    deltas.map((delta) => eventText('content_block_delta', { index, delta })).join('') +
    eventText('content_block_stop', { index })
  );
}

/** The one message that the client gets, whose blocks come from searches and from several answers of the model. */
export class JoinedAnswer {
  readonly #writer: ClientWriter;
  /** Blocks that stand before the first answer of a model. */
  #preface: readonly JsonObject[] = [];
  readonly #pages: Page[] = [];
  #index = 0;
  #hasBegun = false;
  #isOpen = false;

  constructor(writer: ClientWriter) {
    this.#writer = writer;
  }

  /** Whether the client has got something, so that a failure can no longer have a status of its own. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Pages that texts from here on may cite. */
  addPages(pages: readonly Page[]): void {
    for (const page of pages) if (this.#pages.every(({ url }) => url !== page.url)) this.#pages.push(page);
  }

  open(headers?: Readonly<Record<string, string>>): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#writer.openStream(headers);
  }

  /** Keeps blocks back until the message begins. */
  prepare(blocks: readonly JsonObject[]): void {
    this.#preface = blocks;
  }

  /** The head of the first answer is that of all; the others are left out. */
  begin(message: JsonObject): boolean {
    if (this.#hasBegun) return true;
    this.#hasBegun = true;
    const started = this.write(eventText('message_start', { message }));
    for (const block of this.#preface) this.writeBlock(block);
    return started;
  }

  write(text: string): boolean {
    this.open();
    return this.#writer.write(text);
  }

  writeBlock(block: JsonObject): boolean {
    return this.write(blockText(this.nextIndex(), block));
  }

  nextIndex(): number {
    this.#index += 1;
    return this.#index - 1;
  }

  /** The pages whose address stands in a text, as citations. */
  citationsIn(text: string): readonly JsonObject[] {
    return this.#pages.flatMap((page, index) => (text.includes(page.url) ? [toCitation(page, index)] : []));
  }

  finish(delta: JsonObject, usage: JsonObject): void {
    this.#writer.end(eventText('message_delta', { delta, usage }) + eventText('message_stop', {}));
  }

  /** Ends an open stream by an error event. */
  fail(event: string): void {
    this.open();
    this.#writer.end(event);
  }

  onDrain(listener: () => void): void {
    this.#writer.onDrain(listener);
  }

  onGone(listener: () => void): void {
    this.#writer.onGone(listener);
  }
}

/** One answer of the model: what comes before its first search goes to the client at once, the rest is kept. */
export class Round implements ClientWriter {
  readonly #answer: JoinedAnswer;
  readonly #sse = new SseReader((data, event) => this.#read(data, event));
  readonly #assembler = new MessageAssembler();
  /** Of the block that is being handed on. */
  #index = -1;
  #text: string | undefined;
  #isBlockOpen = false;
  #isHeld = false;
  #isFree = true;
  /** How many blocks went to the client. */
  forwarded = 0;
  /** The fields that the model's answer ends with, beside its usage. */
  delta: JsonObject = {};
  /** The error event with which it has ended. */
  error: string | undefined;
  #message: JsonObject | undefined;

  constructor(answer: JoinedAnswer) {
    this.#answer = answer;
  }

  /** The whole answer; undefined for one that has not come to its end, or is too large. */
  get message(): JsonObject | undefined {
    return this.#message;
  }

  sendJson(_status: number, headers: Readonly<Record<string, string>>, body: string): void {
    // A provider may answer with one body although it was asked for a stream.
    const message = parseObject(body);
    if (message === undefined || !Array.isArray(message['content'])) return;
    this.#answer.open(headers);
    this.#answer.begin({ ...message, content: [], stop_reason: null });
    this.#message = message;
    this.delta = { stop_reason: message['stop_reason'], stop_sequence: message['stop_sequence'] };
  }

  openStream(headers?: Readonly<Record<string, string>>): void {
    this.#answer.open(headers);
  }

  write(output: string | Uint8Array): boolean {
    const bytes = typeof output === 'string' ? Buffer.from(output) : output;
    this.#isFree = true;
    this.#sse.push(bytes);
    return this.#isFree;
  }

  end(output: string | Uint8Array): void {
    this.write(output);
    this.#sse.end();
    this.#message = this.#assembler.end();
  }

  /** Ends the block that an answer has broken off in. */
  closeBlock(): void {
    if (this.#isBlockOpen) this.#send(eventText('content_block_stop', { index: this.#index }));
    this.#isBlockOpen = false;
  }

  onDrain(listener: () => void): void {
    this.#answer.onDrain(listener);
  }

  onGone(listener: () => void): void {
    this.#answer.onGone(listener);
  }

  #send(text: string): void {
    if (!this.#answer.write(text)) this.#isFree = false;
  }

  #read(data: string, event: string | undefined): void {
    const frame = this.#assembler.read(data, event) ?? parseObject(data) ?? {};
    const type = event ?? asString(frame['type']);
    if (type === 'message_start' && isObject(frame['message'])) this.#answer.begin(frame['message']);
    else if (type === 'ping') this.#send(eventText('ping', {}));
    else if (type === 'error') this.error ??= `event: error\ndata: ${data}\n\n`;
    else if (type === 'message_delta')
      this.delta = { ...this.delta, ...(isObject(frame['delta']) ? frame['delta'] : {}) };
    else if (type?.startsWith('content_block_') === true) this.#readBlock(type, frame);
  }

  #readBlock(type: string, frame: JsonObject): void {
    const { content_block: block, delta } = frame;
    if (type === 'content_block_start' && isObject(block)) {
      this.#isHeld ||= isSearchCall(block);
      if (this.#isHeld) return;
      this.#index = this.#answer.nextIndex();
      this.forwarded += 1;
      this.#text = block['type'] === 'text' ? '' : undefined;
    }
    if (this.#isHeld) return;
    if (this.#text !== undefined && isObject(delta)) this.#text += asString(delta['text']) ?? '';
    if (type === 'content_block_stop' && this.#text !== undefined) this.#cite(this.#text);
    this.#isBlockOpen = type !== 'content_block_stop';
    this.#send(eventText(type, { ...frame, index: this.#index }));
  }

  #cite(text: string): void {
    for (const citation of this.#answer.citationsIn(text)) {
      const delta = { type: 'citations_delta', citation };
      this.#send(eventText('content_block_delta', { index: this.#index, delta }));
    }
  }
}
