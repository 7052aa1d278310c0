import { isObject, type Json, type JsonObject } from '../../core/json.ts';

/** Members of a reasoning detail that grow from delta to delta; all others are simply replaced. */
const GROWING = ['text', 'summary', 'data'];

/**
 * Gathers the opaque reasoning state of an answer (R135), which comes in pieces like the text does. State that says no
 * more than the reasoning text itself is not worth carrying: the text comes back anyway.
 */
export class ReasoningState {
  #pieces: string[] = [];

  add(state: string): void {
    this.#pieces.push(state);
  }

  /** Whether there is anything that the provider must get back. */
  get opaque(): boolean {
    return this.#pieces.length > 0 && this.#merged().some((detail) => !isPlainText(detail));
  }

  /** The state as JSON text, once; undefined when there is none worth carrying. */
  take(): string | undefined {
    const state = this.opaque ? JSON.stringify(this.#merged()) : undefined;
    this.#pieces = [];
    return state;
  }

  #merged(): JsonObject[] {
    const details: JsonObject[] = [];
    for (const piece of this.#pieces) {
      const parsed: unknown = JSON.parse(piece);
      for (const detail of Array.isArray(parsed) ? parsed : [parsed]) {
        if (isObject(detail)) addDetail(details, detail);
      }
    }
    return details;
  }
}

function addDetail(details: JsonObject[], next: JsonObject): void {
  const last = details.at(-1);
  if (last === undefined || !continues(last, next)) {
    details.push({ ...next });
    return;
  }
  for (const [key, value] of Object.entries(next)) {
    if (value === undefined || value === null) continue;
    last[key] = GROWING.includes(key) ? joined(last[key], value) : value;
  }
}

function continues(last: JsonObject, next: JsonObject): boolean {
  const same = (key: string) => last[key] === undefined || next[key] === undefined || last[key] === next[key];
  return next['type'] === last['type'] && next['index'] !== undefined && same('index') && same('id');
}

function joined(before: Json | undefined, value: Json): Json {
  return typeof before === 'string' && typeof value === 'string' ? before + value : value;
}

function isPlainText(detail: JsonObject): boolean {
  const isText = detail['type'] === undefined || detail['type'] === 'reasoning.text';
  return isText && !detail['signature'] && !detail['data'];
}
