import { createConversation } from '../bodies/conversation.ts';
import { checkStream } from '../load/checkAnswer.ts';
import { bytesFor } from '../processes/subject.ts';
import { expectedTokens } from './expectedTokens.ts';
import { LOOP_METRICS, measureLoop } from './measureLoop.ts';
import type { Scenario } from './scenario.ts';

const ORDER = { deltas: 50, everyMs: 0 };
const RESULT_BYTES = 3700;

function largeRequest(name: string, size: string, rounds: number, connections: number): Scenario {
  let body: string | undefined;
  return {
    name,
    about: `a Claude Code request of ${size} (40 tools, ${rounds} tool rounds, never the same conversation twice), 50 deltas, ${connections} at a time`,
    metrics: [
      { ...LOOP_METRICS.cpuMs, compared: true },
      LOOP_METRICS.perSecond,
      LOOP_METRICS.firstP50,
      LOOP_METRICS.p99,
      LOOP_METRICS.cores,
    ],
    quick: { rounds: 5, seconds: 0.8 },
    long: { rounds: 9, seconds: 3 },
    warmUpSeconds: 0.5,
    measure: async (stage, target, seconds) => {
      body ??= createConversation({ rounds, resultBytes: RESULT_BYTES, order: ORDER }).bodyAt(rounds);
      const expected = { deltas: ORDER.deltas, promptTokens: expectedTokens(body) };
      return measureLoop(await stage.shared(target), {
        request: bytesFor(target, body),
        connections,
        seconds,
        check: (reply) => checkStream(reply, expected),
      });
    },
  };
}

export const largeRequests: readonly Scenario[] = [
  largeRequest('S3', '300 KB', 50, 8),
  largeRequest('S3 2 MB', '2 MB', 430, 4),
];
