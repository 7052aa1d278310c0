import { createConversation } from '../bodies/conversation.ts';
import { checkTokenCount } from '../load/checkAnswer.ts';
import { bytesFor } from '../processes/subject.ts';
import { LOOP_METRICS, measureLoop } from './measureLoop.ts';
import type { Scenario } from './scenario.ts';

const ROUNDS = 210;

/** The body of a request of 1 MB that asks for the number of its tokens. */
export function countBody(): string {
  const order = { deltas: 1, everyMs: 0 };
  return createConversation({ rounds: ROUNDS, resultBytes: 3700, order }).countBodyAt(ROUNDS);
}

export const tokenCounts: Scenario = {
  name: 'S6',
  about: 'count_tokens of 1 MB, one at a time (the floor hands it on)',
  metrics: [{ ...LOOP_METRICS.cpuMs, compared: true }, LOOP_METRICS.perSecond, LOOP_METRICS.p50, LOOP_METRICS.p99],
  quick: { rounds: 5, seconds: 0.5 },
  long: { rounds: 9, seconds: 3 },
  warmUpSeconds: 0.5,
  measure: async (stage, target, seconds) => {
    const body = countBody();
    return measureLoop(await stage.shared(target), {
      request: bytesFor(target, body, '/count_tokens'),
      connections: 1,
      seconds,
      check: (reply) => checkTokenCount(reply, Buffer.byteLength(body)),
    });
  },
};
