import type { ChatRequest } from '../../protocol/openai/request.ts';

const REQUIRED: ReadonlySet<string> = new Set(['model', 'messages']);

/** The request without fields that the provider refuses (R142); the model and the messages always stay. */
export function dropParams(body: ChatRequest, names: readonly string[]): ChatRequest {
  const dropped = new Set(names.filter((name) => !REQUIRED.has(name)));
  const kept = Object.entries(body).filter(([name]) => !dropped.has(name));
  return { ...Object.fromEntries(kept), model: body.model, messages: body.messages };
}
