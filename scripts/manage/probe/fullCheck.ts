import type { JsonObject } from '../../../src/core/json.ts';
import type { Answer } from './answer.ts';
import type { Subject } from './subject.ts';
import type { Verdict } from './verdict.ts';

/** One check of `test --full`, as data and pure functions: what is sent, and what the answers mean. */
export interface FullCheck {
  readonly name: string;
  /** Why it is not made with this subject; undefined when it is made. */
  readonly skip?: (subject: Subject) => string | undefined;
  /**
   * The messages requests, without model and stream, one after the other. Each knows the answers before it; undefined ends
   * the check early, as does an error.
   */
  readonly turns: readonly ((answers: readonly Answer[], subject: Subject) => JsonObject | undefined)[];
  /** Never called without an answer. */
  readonly judge: (first: Answer, last: Answer, subject: Subject) => Verdict;
}

/** Room for models that think before each answer and cannot be told not to. */
export const ROOM = 4000;

/** A message of the user, with further fields of the request. */
export function askFor(text: string, fields: JsonObject = {}): JsonObject {
  return { max_tokens: ROOM, messages: [{ role: 'user', content: text }], ...fields };
}
