import type { MessagesRequest } from '../protocol/anthropic/request.ts';
import { addContent, addTools, PER_MESSAGE } from './contentTokens.ts';
import type { TokenParts } from './textTokens.ts';

/**
 * The input of a request in tokens, estimated without a tokenizer: linear in the request and never throwing (R502). What a
 * model's own figures have taught is put on top by `createCalibration`.
 */
export function measureTokens(request: MessagesRequest): Readonly<TokenParts> {
  const parts = { ideographs: 0, rest: request.messages.length * PER_MESSAGE };
  addContent(parts, request['system']);
  addTools(parts, request['tools']);
  for (const message of request.messages) addContent(parts, message.content);
  return parts;
}

/** The same as one number, at least 1, for a model that nothing is known of. */
export function estimateTokens(request: MessagesRequest): number {
  const { ideographs, rest } = measureTokens(request);
  return Math.max(1, Math.ceil(ideographs + rest));
}
