import type { ApiError } from '../core/errors.ts';
import { isObject, type Json, type JsonObject } from '../core/json.ts';

/**
 * The middle vocabulary: what any provider's answer is made of, whether it came as a stream or as one JSON body.
 * Providers' chunks are read into deltas, quirks repair deltas, and one state machine turns them into Anthropic's words.
 */
export type Delta =
  | { readonly kind: 'thinking'; readonly text: string }
  /** Opaque reasoning state that the provider wants back in the next request, as JSON text. */
  | { readonly kind: 'reasoningState'; readonly state: string }
  | { readonly kind: 'text'; readonly text: string }
  | ToolCallDelta
  | { readonly kind: 'usage'; readonly usage: Usage }
  | { readonly kind: 'finish'; readonly reason: string; readonly stopSequence?: string }
  | { readonly kind: 'error'; readonly error: ApiError }
  | ItemEndDelta
  /** The provider has searched the web by itself. */
  | { readonly kind: 'search'; readonly query: string }
  /** What the first search without a result has found; without pages it has failed. */
  | { readonly kind: 'searchResult'; readonly pages?: readonly WebPage[] }
  /** The provider has said all, so that nothing is to be waited for. */
  | { readonly kind: 'end' }
  /** An oddity that was passed over, for the log. */
  | { readonly kind: 'note'; readonly note: string };

/** A page of the web that a search has found. */
export interface WebPage {
  readonly url: string;
  readonly title: string;
}

/** A page that a text names as its source. */
export interface Citation extends WebPage {
  /** The part of the text that rests on it. */
  readonly text: string;
}

/** The end of what becomes a block of its own, from providers whose answers are lists of items. */
export interface ItemEndDelta {
  readonly kind: 'itemEnd';
  /** The provider may have broken off in its middle. */
  readonly isCut: boolean;
  /** Of reasoning that must come back to the provider. */
  readonly reasoning?: ReasoningItem;
  /** Of text. */
  readonly citations?: readonly Citation[];
}

/**
 * What a reasoning item of the Responses API must bring back, exactly as it came: the encrypted content is bound to the very
 * parts of its summary.
 */
export interface ReasoningItem {
  readonly summary: readonly Json[];
  readonly encryptedContent?: string;
  /** The reasoning in plain words, from servers that do not encrypt it. */
  readonly content?: readonly Json[];
}

/** A piece of a tool call. Every field may be missing: providers leave out index, id or name as they please. */
export interface ToolCallDelta {
  readonly kind: 'toolCall';
  readonly index?: number;
  readonly id?: string;
  readonly name?: string;
  readonly arguments: string;
  /** Unknown fields of the call that must come back with it, such as `extra_content`. */
  readonly extra?: JsonObject;
}

/** Token counts as Anthropic separates them: `input` excludes both cache figures. */
export interface Usage {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  /** The part of the output that was reasoning, where the provider says so. */
  readonly reasoning?: number;
}

/**
 * Opaque provider state that travels through the conversation (decision 0005): Claude Code sends back, unread, a
 * thinking block's `signature`, a redacted block's `data` and unknown fields of a tool_use block. Each carrier names the
 * provider that it belongs to, so that another one never gets to see it.
 */
const VERSION = 'ccp1';

/** Signature of a thinking block that carries no state: never to be taken for one of Anthropic's. */
export const MARKER_SIGNATURE = `${VERSION}.none`;

/** The `signature` of a thinking block (or `data` of a redacted one) that brings `state` back to the provider. */
export function encodeSignature(provider: string, state: string): string {
  return `${VERSION}.${provider}.${Buffer.from(state).toString('base64url')}`;
}

/** The state of a signature made for this provider; undefined for the marker, another provider or a foreign signature. */
export function decodeSignature(signature: string, provider: string): string | undefined {
  const prefix = `${VERSION}.${provider}.`;
  if (!signature.startsWith(prefix)) return undefined;
  const payload = signature.slice(prefix.length);
  return /^[A-Za-z0-9_-]+$/.test(payload) ? Buffer.from(payload, 'base64url').toString() : undefined;
}

/** What is spread over a tool_use block so that a tool call's own unknown fields (`extra_content`) come back with it. */
export function encodeCallFields(provider: string, fields: JsonObject): JsonObject {
  return { provider_fields: { provider, fields } };
}

/** The fields that `encodeCallFields` put on the tool_use block for this provider, else undefined. */
export function decodeCallFields(block: JsonObject, provider: string): JsonObject | undefined {
  const carrier = block['provider_fields'];
  if (!isObject(carrier) || carrier['provider'] !== provider) return undefined;
  return isObject(carrier['fields']) ? carrier['fields'] : undefined;
}

/** Stands in for thoughts that are lost, where a provider insists on some. */
export const MISSING_REASONING = '(reasoning not available)';
