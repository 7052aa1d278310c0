import { smallBody } from '../bodies/smallBody.ts';
import { checkMessage } from '../load/checkAnswer.ts';
import { runClosedLoop } from '../load/closedLoop.ts';
import type { Reply } from '../load/reply.ts';
import { bytesFor } from '../processes/subject.ts';
import { ADDED_METRICS, measureAdded, UPSTREAM_MS } from './measureAdded.ts';
import { LOOP_METRICS, measureLoop } from './measureLoop.ts';
import type { Scenario } from './scenario.ts';

const ORDER = { deltas: 20, everyMs: 0, afterMs: UPSTREAM_MS };
const EFFORT = {
  quick: { rounds: 1, seconds: 2 },
  long: { rounds: 3, seconds: 3 },
  warmUpSeconds: 1,
  needsProcess: true,
} as const;

/** 401, and 429 once so many wrong keys came from one address that none is looked at any more. */
function checkRefusal({ status, body }: Reply): void {
  if (status !== 401 && status !== 429)
    throw new Error(`wrong answer: status ${status} to a wrong key, ${body.slice(0, 300)}`);
}

/** The key is refused before anything is read or sent: the upstream's delay would show. */
export const keyFlood: Scenario = {
  ...EFFORT,
  name: 'S14',
  about: 'a flood of requests with a wrong key, 64 at a time, each of which is refused',
  metrics: [
    { ...LOOP_METRICS.cpuMs, compared: true },
    LOOP_METRICS.perSecond,
    LOOP_METRICS.p50,
    LOOP_METRICS.p99,
    LOOP_METRICS.cores,
  ],
  measure: async (stage, target, seconds) => {
    const wrong = { ...target, headers: { ...target.headers, 'x-api-key': 'wrong' } };
    const request = bytesFor(wrong, smallBody(ORDER, false));
    return measureLoop(await stage.shared(target), { request, connections: 64, seconds, check: checkRefusal });
  },
};

export const failover: Scenario = {
  ...EFFORT,
  name: 'S15',
  about: `what is added to small requests of ${UPSTREAM_MS} ms where the first provider answers each with status 500 and the second serves, one at a time`,
  metrics: ADDED_METRICS,
  measure: (stage, target, seconds) =>
    measureAdded(stage, target, seconds, async ({ target: asked, port }, duration) => {
      const { latencies, answers } = await runClosedLoop({
        port,
        request: bytesFor(asked, smallBody(ORDER, false)),
        connections: 1,
        seconds: duration,
        check: (reply) => checkMessage(reply, { deltas: ORDER.deltas, promptTokens: 1 }),
      });
      return { times: latencies, answers };
    }),
};
