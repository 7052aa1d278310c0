import type { JsonObject } from '../../core/json.ts';

const REQUIRED: ReadonlySet<string> = new Set(['model', 'messages']);

/**
 * The request without fields that the provider refuses (R142); the model and the messages always stay. The same object when it
 * has none of them.
 */
export function dropParams<Body extends JsonObject>(body: Body, names: readonly string[]): Body {
  const dropped = new Set(names.filter((name) => !REQUIRED.has(name) && Object.hasOwn(body, name)));
  if (dropped.size === 0) return body;
  return Object.fromEntries(Object.entries(body).filter(([name]) => !dropped.has(name))) as Body;
}
