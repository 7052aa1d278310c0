import { isObject, type Json, type JsonObject } from '../core/json.ts';
import type { MessagesRequest } from '../protocol/anthropic/request.ts';

/**
 * What is answered to the safety checks that auto mode asks of its server: nobody here judges tool calls (R108). The client
 * then judges by itself or asks its user; a verdict that was made up would be obeyed. Undefined when none is asked for.
 * docs/decisions/2026-11-20-safeguards.md has what the client makes of each possible answer.
 */
export function answerSafeguards(request: MessagesRequest): readonly JsonObject[] | undefined {
  const asked: Json | undefined = request['safeguards'];
  if (!Array.isArray(asked)) return undefined;
  return asked.filter(isObject).map((safeguard) => ({ type: safeguard['type'], status: { type: 'unsupported' } }));
}
