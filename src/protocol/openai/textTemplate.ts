import { isObject, type JsonObject } from '../../core/json.ts';

/**
 * Learned templates that may go unused in a row before learning is given up: some servers write a new time into every
 * chunk.
 */
const UNUSED_MAX = 8;

const PROBE = 'probe';
const PROBE_COUNT = '7';

/** A number that grows from event to event and says nothing else. */
const COUNTER = /"sequence_number":(\d{1,15})(?=[,}])/;

/** Where the text of a chunk or event stands, as the only thing that it says. */
export interface TextForm {
  /** The name of its member. */
  readonly member: string;
  /** The text; undefined for what says something else. */
  read(chunk: JsonObject): unknown;
}

export const chatTextForm: TextForm = {
  member: 'content',
  read(chunk) {
    const choice = Array.isArray(chunk['choices']) ? chunk['choices'][0] : undefined;
    const delta = isObject(choice) ? choice['delta'] : undefined;
    // A whole answer in one frame means different things at different times.
    if (chunk['object'] === 'chat.completion' || !isObject(delta)) return undefined;
    return delta['content'];
  },
};

export const responseTextForm: TextForm = {
  member: 'delta',
  read: (event) => (event['type'] === 'response.output_text.delta' ? event['delta'] : undefined),
};

/** What stands on one side of the text; `second` follows a counter, where there is one. */
interface Side {
  readonly first: string;
  readonly second: string | undefined;
}

/**
 * A shortcut for the most frequent chunk of all, a piece of text: within one stream those chunks differ in nothing but
 * the text, and a counter at most. The frame around it is learned from one chunk that was parsed; another chunk with the same frame
 * around a valid JSON string must then mean the same with that string as its text. Comparing costs a sixth of parsing.
 */
export class TextTemplate {
  readonly #form: TextForm;
  #before: Side | undefined;
  #after: Side = { first: '', second: undefined };
  #unused = 0;

  constructor(form: TextForm) {
    this.#form = form;
  }

  /** The text of a chunk that has the known frame; undefined when it must be parsed. */
  match(data: string): string | undefined {
    if (this.#before === undefined) return undefined;
    const start = endOf(this.#before, data);
    const end = startOf(this.#after, data);
    if (start < 0 || end < start) return undefined;
    // A quote that is not escaped ends the string early: then this is another kind of chunk.
    const quote = data.indexOf('"', start);
    if (quote !== end && data[quote - 1] !== '\\') return undefined;
    const text = parseString(data.slice(start - 1, end + 1));
    if (text !== undefined) this.#unused = 0;
    return text;
  }

  /** Learns from a chunk whose only meaning was this text; whether it could. */
  learn(data: string, text: string): boolean {
    if (this.#unused >= UNUSED_MAX) return false;
    this.#unused += 1;
    const string = JSON.stringify(text);
    const opening = `"${this.#form.member}":`;
    const at = data.indexOf(opening + string);
    if (at < 0) return false;
    const textStart = at + opening.length + 1;
    const before = sideOf(data.slice(0, textStart));
    const after = sideOf(data.slice(textStart + string.length - 2));
    if (!this.#isOnlyText(written(before) + PROBE + written(after))) return false;
    this.#before = before;
    this.#after = after;
    return true;
  }

  #isOnlyText(data: string): boolean {
    const chunk = JSON.parse(data) as JsonObject;
    if (this.#form.read(chunk) !== PROBE) return false;
    const count = chunk['sequence_number'];
    return !data.includes(`"sequence_number":${PROBE_COUNT}`) || count === Number(PROBE_COUNT);
  }
}

function sideOf(text: string): Side {
  const counter = COUNTER.exec(text);
  const number = counter?.[1];
  if (counter === null || number === undefined) return { first: text, second: undefined };
  const end = counter.index + counter[0].length;
  return { first: text.slice(0, end - number.length), second: text.slice(end) };
}

function written({ first, second }: Side): string {
  return second === undefined ? first : first + PROBE_COUNT + second;
}

const isDigit = (code: number) => code >= 0x30 && code <= 0x39;

/** The index behind what stands before the text; -1 where something else stands there. */
function endOf({ first, second }: Side, data: string): number {
  // Comparing a slice is several times faster than startsWith when the data is itself a slice of what was read.
  if (data.slice(0, first.length) !== first) return -1;
  if (second === undefined) return first.length;
  let from = first.length;
  while (isDigit(data.charCodeAt(from))) from += 1;
  const end = from + second.length;
  return data.slice(from, end) === second ? end : -1;
}

/** The index of what stands behind the text; -1 where something else stands there. */
function startOf({ first, second }: Side, data: string): number {
  const last = second ?? first;
  if (!data.endsWith(last)) return -1;
  let from = data.length - last.length;
  if (second === undefined) return from;
  while (isDigit(data.charCodeAt(from - 1))) from -= 1;
  const start = from - first.length;
  return start >= 0 && data.slice(start, from) === first ? start : -1;
}

/** The value of a JSON string, undefined when it is none. */
function parseString(json: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
