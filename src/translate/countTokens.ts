import type { MessagesRequest, RequestMessage } from '../protocol/anthropic/request.ts';
import { addContent, addTool, PER_MESSAGE } from './contentTokens.ts';
import type { TokenParts } from './textTokens.ts';

/**
 * The input of a request in tokens, estimated without a tokenizer: linear in the request and never throwing (R502). What a
 * model's own figures have taught is put on top by `createCalibration`.
 */
export function measureTokens(request: MessagesRequest): Readonly<TokenParts> {
  const parts = { ideographs: 0, rest: request.messages.length * PER_MESSAGE };
  addContent(parts, request['system']);
  if (Array.isArray(request['tools'])) {
    for (const tool of request['tools']) addOnce(parts, tool, addTool);
  }
  for (const message of request.messages) addOnce(parts, message, addMessage);
  return parts;
}

/** Does the work of `measureTokens` for the messages in advance, with a pause after each stretch of so many tokens. */
export function* measureInSteps(request: MessagesRequest, stretch: number): Generator<void> {
  const parts = { ideographs: 0, rest: 0 };
  let paused = 0;
  for (const message of request.messages) {
    addOnce(parts, message, addMessage);
    if (parts.ideographs + parts.rest - paused < stretch) continue;
    paused = parts.ideographs + parts.rest;
    yield;
  }
}

/** What was measured before, by message and tool: requests of one conversation share them as objects. */
const measured = new WeakMap<object, Readonly<TokenParts>>();

function addOnce<T>(parts: TokenParts, value: T, add: (parts: TokenParts, value: T) => void): void {
  if (typeof value !== 'object' || value === null) {
    add(parts, value);
    return;
  }
  let own = measured.get(value);
  if (own === undefined) {
    const fresh = { ideographs: 0, rest: 0 };
    add(fresh, value);
    measured.set(value, fresh);
    own = fresh;
  }
  parts.ideographs += own.ideographs;
  parts.rest += own.rest;
}

function addMessage(parts: TokenParts, message: RequestMessage): void {
  addContent(parts, message.content);
}

/** The same as one number, at least 1, for a model that nothing is known of. */
export function estimateTokens(request: MessagesRequest): number {
  const { ideographs, rest } = measureTokens(request);
  return Math.max(1, Math.ceil(ideographs + rest));
}
