import { createConversation } from '../../bench/bodies/conversation.ts';
import type { Script } from './user.ts';

const ROUNDS = 15;

/** Conversations with short and long, quick and slow answers. */
export function createScripts(): readonly Script[] {
  return [
    { deltas: 20, everyMs: 20 },
    { deltas: 60, everyMs: 50 },
    { deltas: 120, everyMs: 50 },
    { deltas: 40, everyMs: 200 },
  ].map((order) => ({ order, conversation: createConversation({ rounds: ROUNDS, resultBytes: 1200, order }) }));
}
