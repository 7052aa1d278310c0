import { createConversation } from '../bodies/conversation.ts';
import { smallBody } from '../bodies/smallBody.ts';
import { checkMessage, checkStream } from '../load/checkAnswer.ts';
import { runClosedLoop } from '../load/closedLoop.ts';
import { bytesFor } from '../processes/subject.ts';
import { expectedTokens } from './expectedTokens.ts';
import { ADDED_METRICS, measureAdded, UPSTREAM_MS } from './measureAdded.ts';
import type { Scenario } from './scenario.ts';

const EFFORT = {
  metrics: ADDED_METRICS,
  quick: { rounds: 1, seconds: 2 },
  long: { rounds: 3, seconds: 3 },
  warmUpSeconds: 1,
  needsProcess: true,
} as const;
const ORDER = { deltas: 20, everyMs: 0, afterMs: UPSTREAM_MS };

/** Small answers without a stream, so many at a time. */
function smallRequests(connections: number): Scenario {
  const expected = { deltas: ORDER.deltas, promptTokens: 1 };
  return {
    ...EFFORT,
    name: `S10 ${connections}`,
    about: `what a proxy adds to small requests of ${UPSTREAM_MS} ms, ${connections} at a time`,
    measure: (stage, target, seconds) =>
      measureAdded(stage, target, seconds, async (subject, duration) => {
        const { latencies, answers } = await runClosedLoop({
          port: subject.port,
          request: bytesFor(subject.target, smallBody(ORDER, false)),
          connections,
          seconds: duration,
          check: (reply) => checkMessage(reply, expected),
        });
        return { times: latencies, answers };
      }),
  };
}

/** Streams with a large prompt, for the time to their first text. */
function prompts(size: string, rounds: number, resultBytes: number): Scenario {
  const order = { ...ORDER, deltas: 10 };
  let body: string | undefined;
  return {
    ...EFFORT,
    name: `S11 ${size}`,
    about: `what a proxy adds to the first text of a prompt of ${size} tokens, ${UPSTREAM_MS} ms, one at a time`,
    measure: (stage, target, seconds) => {
      body ??= rounds === 0 ? longQuestion(order) : createConversation({ rounds, resultBytes, order }).bodyAt(rounds);
      const text = body;
      const expected = { deltas: order.deltas, promptTokens: expectedTokens(text) };
      return measureAdded(stage, target, seconds, async (subject, duration) => {
        const { firstTexts, answers } = await runClosedLoop({
          port: subject.port,
          request: bytesFor(subject.target, text),
          connections: 1,
          seconds: duration,
          check: (reply) => checkStream(reply, expected),
        });
        return { times: firstTexts, answers };
      });
    },
  };
}

/** Some 1,000 tokens without tools, which alone would be more. */
function longQuestion(order: typeof ORDER): string {
  return smallBody(order, true).replace('You are a helpful assistant.', 'You are a helpful assistant. '.repeat(135));
}

export const addedTime: readonly Scenario[] = [
  ...[1, 16, 64].map(smallRequests),
  prompts('1k', 0, 0),
  prompts('10k', 2, 2000),
  prompts('100k', 80, 4500),
];
