import { asString, isObject, type Json, type JsonObject } from '../../core/json.ts';
import { type HeldBudget, parseBoundedObject } from '../bounds.ts';
import { decodeSignature, encodeSignature, type ReasoningItem } from '../delta.ts';

/** A reasoning item that came back from the client. */
export interface CarriedReasoningItem extends ReasoningItem {
  /** Of the address and the key that it came from: nobody else can decrypt it. */
  readonly fingerprint: string;
}

/** The item of a provider's answer; its summary is always a list, and what is null or empty is left out. */
export function readReasoningItem(item: JsonObject): ReasoningItem {
  const { summary, content } = item;
  const encryptedContent = asString(item['encrypted_content']);
  return {
    summary: Array.isArray(summary) ? summary : [],
    ...(encryptedContent ? { encryptedContent } : {}),
    ...(Array.isArray(content) && content.length > 0 ? { content } : {}),
  };
}

/** Whether the item holds anything that the provider would want back. */
export function isWorthCarrying(item: ReasoningItem): boolean {
  return item.encryptedContent !== undefined || item.content !== undefined;
}

/** The `signature` of a thinking block that brings the item back to the provider. */
export function encodeReasoningItem(provider: string, item: ReasoningItem, fingerprint: string): string {
  const { summary, encryptedContent, content } = item;
  // What is undefined is not written.
  return encodeSignature(
    provider,
    JSON.stringify({ summary, encrypted_content: encryptedContent, content, fingerprint }),
  );
}

/** The item that a signature carries for this provider; undefined when it is foreign, cut, or carries something else. */
export function decodeReasoningItem(signature: string, provider: string): CarriedReasoningItem | undefined {
  const state = decodeSignature(signature, provider);
  const carried = state === undefined ? undefined : readCarrier(state);
  const fingerprint = carried?.['fingerprint'];
  if (carried === undefined || !Array.isArray(carried['summary']) || typeof fingerprint !== 'string') return undefined;
  return { ...readReasoningItem(carried), fingerprint };
}

/** Signatures come from the client, which may have cut or changed them in any way. */
function readCarrier(state: string): JsonObject | undefined {
  try {
    return parseBoundedObject(state);
  } catch {
    return undefined;
  }
}

/** Members of a reasoning detail that grow from delta to delta; all others are simply replaced. */
const GROWING: ReadonlySet<string> = new Set(['text', 'summary', 'data']);

/**
 * Gathers the opaque reasoning state of an answer, which comes in pieces like the text does. State that says no
 * more than the reasoning text itself is not worth carrying: the text comes back anyway.
 */
export class ReasoningState {
  readonly #held: HeldBudget;
  #details: JsonObject[] = [];
  /** Whether there is anything that the provider must get back. */
  opaque = false;

  constructor(held: HeldBudget) {
    this.#held = held;
  }

  add(state: string): void {
    this.#held.add(state.length);
    const parsed: unknown = JSON.parse(state);
    for (const detail of Array.isArray(parsed) ? parsed : [parsed]) {
      if (!isObject(detail)) continue;
      addDetail(this.#details, detail);
      const last = this.#details.at(-1);
      this.opaque ||= last !== undefined && !isPlainText(last);
    }
  }

  /** The state as JSON text, once; undefined when there is none worth carrying. */
  take(): string | undefined {
    const state = this.opaque ? JSON.stringify(this.#details) : undefined;
    this.#details = [];
    this.opaque = false;
    return state;
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
    last[key] = GROWING.has(key) ? joined(last[key], value) : value;
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
