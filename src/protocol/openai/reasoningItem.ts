import { asString, type Json, type JsonObject } from '../../core/json.ts';
import { parseBoundedObject } from '../bounds.ts';
import { decodeSignature, encodeSignature } from '../delta.ts';

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
