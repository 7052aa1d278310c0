import { isObject, type JsonObject } from '../../core/json.ts';

/**
 * Learned frames that may go unused in a row before learning is given up: some servers write a new time into every
 * chunk.
 */
const PATIENCE = 8;

const OPENING = '"content":"';
const PROBE = 'probe';
/**
 * A shortcut for the most frequent chunk of all, a piece of text: within one stream those chunks differ in nothing but
 * the text. The frame around it is learned from one chunk that was parsed; another chunk with the same frame around a
 * valid JSON string must then mean the same with that string as its text. Comparing costs a sixth of parsing.
 */
export class TextFrame {
  #before = '';
  #after = '';
  #unused = 0;

  /** The text of a chunk that has the known frame; undefined when it must be parsed. */
  read(data: string): string | undefined {
    const start = this.#before.length;
    const end = data.length - this.#after.length;
    if (start === 0 || end < start) return undefined;
    // Comparing a slice is several times faster than startsWith when the data is itself a slice of what was read.
    if (data.slice(0, start) !== this.#before || !data.endsWith(this.#after)) return undefined;
    // A quote that is not escaped ends the string early: then this is another kind of chunk.
    const quote = data.indexOf('"', start);
    if (quote !== end && data[quote - 1] !== '\\') return undefined;
    const text = parseString(data.slice(start - 1, end + 1));
    if (text !== undefined) this.#unused = 0;
    return text;
  }

  /** Learns from a chunk whose only meaning was this text. */
  learn(data: string, text: string): void {
    if (this.#unused >= PATIENCE) return;
    this.#unused += 1;
    const string = JSON.stringify(text);
    const at = data.indexOf(`"content":${string}`);
    if (at < 0) return;
    const before = data.slice(0, at + OPENING.length);
    const after = data.slice(before.length + string.length - 2);
    if (contentOf(before + PROBE + after) !== PROBE) return;
    this.#before = before;
    this.#after = after;
  }
}

function contentOf(data: string): unknown {
  const chunk = JSON.parse(data) as JsonObject;
  const choice = Array.isArray(chunk['choices']) ? chunk['choices'][0] : undefined;
  const delta = isObject(choice) ? choice['delta'] : undefined;
  // A whole answer in one frame means different things at different times (R313).
  if (chunk['object'] === 'chat.completion' || !isObject(delta)) return undefined;
  return delta['content'];
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
