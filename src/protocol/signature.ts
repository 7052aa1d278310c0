import { isObject, type JsonObject } from '../core/json.ts';

/**
 * Opaque provider state that travels through the conversation (R135, design decision 10): Claude Code sends back, unread, a
 * thinking block's `signature`, a redacted block's `data` and unknown fields of a tool_use block. Each carrier names the
 * provider that it belongs to, so that another one never gets to see it.
 */
const VERSION = 'ccp1';

/** Signature of a thinking block that carries no state (R212): never to be taken for one of Anthropic's. */
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
