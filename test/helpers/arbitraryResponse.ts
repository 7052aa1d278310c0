import fc from 'fast-check';
import type { JsonObject } from '../../src/core/json.ts';

const WORDS = [
  'Hi',
  ' ',
  '\n',
  'ä',
  '你好',
  '😀',
  '\ud83d',
  '\ude00',
  '<think>',
  '</think>',
  '<th',
  '"',
  '\\',
  'END',
  'EN',
  'D',
];
const words = fc.array(fc.constantFrom(...WORDS), { maxLength: 5 }).map((list) => list.join(''));

const json = fc.oneof(
  fc.dictionary(fc.constantFrom('a', 'b', 'ä"'), fc.oneof(fc.integer(), words, fc.boolean()), { maxKeys: 3 }),
);

/** How an answer ends. */
export type Ending = 'completed' | 'max_output_tokens' | 'content_filter';

type Draft =
  | { kind: 'message'; parts: readonly { text: string; isRefusal: boolean; cited: readonly string[] }[] }
  | { kind: 'summary'; parts: readonly string[]; blob: string | undefined }
  | { kind: 'spoken'; text: string }
  | { kind: 'call'; input: JsonObject; isEmpty: boolean }
  | { kind: 'search'; query: string; found: readonly string[] | undefined; hasFailed: boolean }
  | { kind: 'other' };

const pages = fc.array(fc.constantFrom('https://a.test/', 'https://b.test/?x=1', ''), { maxLength: 2 });

const draft: fc.Arbitrary<Draft> = fc.oneof(
  fc.record({
    kind: fc.constant('message' as const),
    parts: fc.array(fc.record({ text: words, isRefusal: fc.boolean(), cited: pages }), { maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant('summary' as const),
    parts: fc.array(words, { maxLength: 3 }),
    blob: fc.option(words, { nil: undefined }),
  }),
  fc.record({ kind: fc.constant('spoken' as const), text: words }),
  fc.record({ kind: fc.constant('call' as const), input: json as fc.Arbitrary<JsonObject>, isEmpty: fc.boolean() }),
  fc.record({
    kind: fc.constant('search' as const),
    query: words,
    found: fc.option(pages, { nil: undefined }),
    hasFailed: fc.boolean(),
  }),
  fc.constant({ kind: 'other' as const }),
);

/** A random list of items; the last one is cut where the answer is. */
export const arbitraryResponse = fc
  .record({
    drafts: fc.array(draft, { maxLength: 6 }),
    ending: fc.constantFrom<Ending>('completed', 'completed', 'max_output_tokens', 'content_filter'),
  })
  .map(({ drafts, ending }) => {
    const output = drafts.map((one, index) =>
      itemOf(one, index, ending !== 'completed' && index === drafts.length - 1),
    );
    return responseOf(output, ending);
  });

export interface ArbitraryResponse extends JsonObject {
  output: JsonObject[];
}

function responseOf(output: JsonObject[], ending: Ending): ArbitraryResponse {
  return {
    id: 'resp_1',
    object: 'response',
    model: 'm',
    status: ending === 'completed' ? 'completed' : 'incomplete',
    error: null,
    incomplete_details: ending === 'completed' ? null : { reason: ending },
    output,
    usage: { input_tokens: 100, input_tokens_details: { cached_tokens: 60 }, output_tokens: 20, total_tokens: 120 },
  };
}

function itemOf(one: Draft, index: number, isCut: boolean): JsonObject {
  const id = `item_${index}`;
  const status = isCut ? 'incomplete' : 'completed';
  if (one.kind === 'message') {
    const content = one.parts.map(({ text, isRefusal, cited }) =>
      isRefusal
        ? { type: 'refusal', refusal: text }
        : { type: 'output_text', text, annotations: cited.map(citationOf) },
    );
    return { type: 'message', id, role: 'assistant', status, content };
  }
  if (one.kind === 'summary') {
    const summary = one.parts.map((text) => ({ type: 'summary_text', text }));
    return { type: 'reasoning', id, summary, ...(one.blob === undefined ? {} : { encrypted_content: one.blob }) };
  }
  if (one.kind === 'spoken') {
    return { type: 'reasoning', id, summary: [], content: [{ type: 'reasoning_text', text: one.text }] };
  }
  if (one.kind === 'call') {
    const whole = one.isEmpty ? '' : JSON.stringify(one.input);
    const text = isCut ? '{"a":"b' : whole;
    return { type: 'function_call', id, call_id: `call_${index}`, name: 'Read', arguments: text, status };
  }
  if (one.kind === 'search') {
    const sources = one.found?.map((url) => ({ type: 'url', url }));
    const action = { type: 'search', query: one.query, ...(sources === undefined ? {} : { sources }) };
    return { type: 'web_search_call', id, status: one.hasFailed ? 'failed' : 'completed', action };
  }
  return { type: 'code_interpreter_call', id, status: 'completed' };
}

const citationOf = (url: string) => ({ type: 'url_citation', url, title: `of ${url}`, start_index: 0, end_index: 3 });
const hasCitation = (item: JsonObject) => JSON.stringify(item).includes('url_citation');

/** Which events of an item are sent. One source of what it says must stay. */
export interface Kept {
  readonly added: boolean;
  readonly deltas: boolean;
  /** `.done` of each part, by its number. */
  readonly done: readonly boolean[];
  readonly parts: boolean;
  readonly item: boolean;
  /** Lengths of the pieces that the text is cut into, one after the other and again. */
  readonly pieces: readonly number[];
}

export const ALL_KEPT: Kept = { added: true, deltas: true, done: [true], parts: true, item: true, pieces: [3] };

export const arbitraryKept: fc.Arbitrary<Kept> = fc.record({
  added: fc.boolean(),
  deltas: fc.boolean(),
  done: fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }),
  parts: fc.boolean(),
  item: fc.boolean(),
  pieces: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
});

/** With what must stay when the last event does not repeat the items: reasoning and calls of it need their item. */
export function withSources(kept: Kept, item: JsonObject, isRepeated: boolean): Kept {
  if (isRepeated || kept.item) return kept;
  if (item['type'] === 'message' && !hasCitation(item)) return { ...kept, deltas: true };
  // Only the item says whether a call has no arguments or was cut before them.
  if (item['type'] === 'function_call' && item['arguments'] !== '') return { ...kept, added: true, deltas: true };
  return { ...kept, item: true };
}

function cut(text: string, lengths: readonly number[]): string[] {
  const pieces: string[] = [];
  for (let from = 0, at = 0; from < text.length; at += 1) {
    const length = lengths[at % lengths.length] ?? 1;
    pieces.push(text.slice(from, from + length));
    from += length;
  }
  return pieces;
}

const emptied = (item: JsonObject): JsonObject => {
  const { encrypted_content: _, ...rest } = item;
  if (item['type'] === 'message') return { ...rest, content: [], status: 'in_progress' };
  if (item['type'] === 'reasoning') return { ...rest, summary: [], content: [] };
  return item['type'] === 'function_call' ? { ...rest, arguments: '', status: 'in_progress' } : rest;
};

/** The events of one item, in their order. */
export function eventsOf(item: JsonObject, index: number, kept: Kept): JsonObject[] {
  const place = { output_index: index, item_id: item['id'] ?? null };
  const events: JsonObject[] = [];
  if (kept.added) events.push({ type: 'response.output_item.added', output_index: index, item: emptied(item) });
  const isDone = (part: number) => kept.done[part % kept.done.length] === true;
  for (const [part, { name, index: numbered, text, whole, wrapper }] of partsOf(item).entries()) {
    const at = { ...place, ...(numbered === undefined ? {} : { [numbered]: part }) };
    const shell = numbered === 'summary_index' ? { type: 'summary_text', text } : contentPart(item, part);
    if (kept.parts && wrapper !== undefined) {
      const begun = { ...shell, ...(shell['type'] === 'refusal' ? { refusal: '' } : { text: '' }) };
      events.push({ type: wrapper.replace('done', 'added'), ...at, part: begun });
    }
    if (kept.deltas) for (const delta of cut(text, kept.pieces)) events.push({ type: `${name}.delta`, ...at, delta });
    if (isDone(part)) events.push({ type: `${name}.done`, ...at, ...whole });
    if (kept.parts && wrapper !== undefined && isDone(part)) {
      events.push({ type: wrapper, ...at, part: shell });
    }
  }
  if (kept.item) events.push({ type: 'response.output_item.done', output_index: index, item });
  return events;
}

const contentPart = ({ content }: JsonObject, part: number): JsonObject =>
  (content as JsonObject[] | undefined)?.[part] ?? {};

interface Part {
  readonly name: string;
  readonly index: 'content_index' | 'summary_index' | undefined;
  readonly text: string;
  readonly whole: JsonObject;
  readonly wrapper: string | undefined;
}

function partsOf(item: JsonObject): Part[] {
  const list = (name: string) => (item[name] ?? []) as JsonObject[];
  if (item['type'] === 'function_call') {
    const text = String(item['arguments']);
    const whole = { arguments: text, name: 'Read' };
    return [{ name: 'response.function_call_arguments', index: undefined, text, whole, wrapper: undefined }];
  }
  const summary = list('summary').map(({ text }) => ({
    name: 'response.reasoning_summary_text',
    index: 'summary_index' as const,
    text: String(text),
    whole: { text: String(text) },
    wrapper: 'response.reasoning_summary_part.done',
  }));
  const content = list('content').map((part) => {
    const isRefusal = part['type'] === 'refusal';
    const text = String(part['text'] ?? part['refusal']);
    const spoken = part['type'] === 'reasoning_text' ? 'response.reasoning_text' : 'response.output_text';
    return {
      name: isRefusal ? 'response.refusal' : spoken,
      index: 'content_index' as const,
      text,
      whole: isRefusal ? { refusal: text } : { text },
      wrapper: 'response.content_part.done',
    };
  });
  return [...summary, ...content];
}

/** Merges lists into one that keeps the order of each: the numbers say from which one the next is taken. */
export function interleave(lists: readonly (readonly JsonObject[])[], order: readonly number[]): JsonObject[] {
  const rest = lists.map((list) => [...list]);
  const merged: JsonObject[] = [];
  for (let at = 0; ; at += 1) {
    const left = rest.filter((list) => list.length > 0);
    if (left.length === 0) return merged;
    const from = (order.length === 0 ? 0 : (order[at % order.length] ?? 0)) % left.length;
    merged.push(...(left[from] ?? []).splice(0, 1));
  }
}

/** The last event; `isRepeated` says whether it repeats the items. */
export function lastEvent(response: ArbitraryResponse, isRepeated: boolean): JsonObject {
  return {
    type: `response.${String(response['status'])}`,
    response: isRepeated ? response : { ...response, output: [] },
  };
}

/** Writes events as their server does: the counter, and the type once more in a line of its own. */
export function writeEvents(events: readonly JsonObject[], isNamed = true): Buffer {
  const frames = events.map((event, number) => {
    const data = JSON.stringify({ ...event, sequence_number: number });
    return `${isNamed ? `event: ${String(event['type'])}\n` : ''}data: ${data}\n\n`;
  });
  return Buffer.from(frames.join(''));
}

const JUNK: readonly JsonObject[] = [
  { type: 'keepalive' },
  { type: 'response.created', response: { id: 'resp_1', model: 'm', status: 'in_progress' } },
  { type: 'codex.rate_limits', error: null },
  { type: 'response.quite_new.delta', output_index: 0, delta: 'no' },
  { type: 'response.output_item.added' },
  { type: 'response.output_item.done', output_index: 1, item: 5 },
  { type: 'response.output_text.delta', output_index: 2, content_index: 1, delta: 'late' },
  { type: 'response.output_text.delta', output_index: -1, delta: 7 },
  { type: 'response.output_text.done', text: 'x' },
  { type: 'response.reasoning_text.delta', output_index: 0, delta: 'hm' },
  { type: 'response.function_call_arguments.delta', output_index: 900_000, delta: '{' },
  { type: 'response.function_call_arguments.done', item_id: 'item_1', arguments: '{"a":1}' },
  { type: 'response.output_item.done', output_index: 0, item: { type: 'function_call', arguments: { a: 1 } } },
  { type: 'response.output_item.done', item: { type: 'message', id: 'item_0', content: 'Hello' } },
  { type: 'response.incomplete' },
  { type: 'response.completed', response: { status: 'queued' } },
  { type: 'response.failed', response: { error: { code: 'server_error', message: 'boom' } } },
  { type: 'error', code: 'x', message: 'boom' },
  { output: [] },
];

/** Events that nobody should send, to be put anywhere. */
export const arbitraryJunk = fc.array(fc.record({ at: fc.nat(40), event: fc.constantFrom(...JUNK) }), { maxLength: 3 });
