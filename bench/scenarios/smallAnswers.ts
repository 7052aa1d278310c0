import { smallBody } from '../bodies/smallBody.ts';
import { checkMessage } from '../load/checkAnswer.ts';
import { bytesFor } from '../processes/subject.ts';
import { LOOP_METRICS, measureLoop } from './measureLoop.ts';
import type { Scenario } from './scenario.ts';

const ORDER = { deltas: 20, everyMs: 0 };
const EXPECTED = { deltas: ORDER.deltas, promptTokens: 1 };

export const smallAnswers: Scenario = {
  name: 'S1',
  about: 'small requests without a stream, 32 at a time',
  metrics: [
    { ...LOOP_METRICS.cpuMs, compared: true },
    LOOP_METRICS.perSecond,
    LOOP_METRICS.p50,
    LOOP_METRICS.p99,
    LOOP_METRICS.cores,
  ],
  quick: { rounds: 5, seconds: 0.7 },
  long: { rounds: 9, seconds: 3 },
  warmUpSeconds: 0.5,
  measure: async (stage, target, seconds) =>
    measureLoop(await stage.shared(target), {
      request: bytesFor(target, smallBody(ORDER, false)),
      connections: 32,
      seconds,
      check: (reply) => checkMessage(reply, EXPECTED),
    }),
};
