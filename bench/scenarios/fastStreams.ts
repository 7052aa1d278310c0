import { smallBody } from '../bodies/smallBody.ts';
import { checkStream } from '../load/checkAnswer.ts';
import { bytesFor } from '../processes/subject.ts';
import { LOOP_METRICS, measureLoop } from './measureLoop.ts';
import type { Scenario } from './scenario.ts';

const ORDER = { deltas: 100, everyMs: 0 };
const EXPECTED = { deltas: ORDER.deltas, promptTokens: 1 };

export const fastStreams: Scenario = {
  name: 'S2',
  about: 'streams of 100 deltas as fast as it goes, one write of the upstream per delta, 32 at a time',
  metrics: [
    { key: 'eventsPerCpuSecond', title: 'deltas per CPU second', digits: 0, compared: true },
    { ...LOOP_METRICS.cpuMs, title: 'CPU ms per stream' },
    { ...LOOP_METRICS.perSecond, title: 'streams/s' },
    LOOP_METRICS.firstP50,
    LOOP_METRICS.cores,
  ],
  quick: { rounds: 5, seconds: 0.7 },
  long: { rounds: 9, seconds: 3 },
  warmUpSeconds: 0.5,
  measure: async (stage, target, seconds) => {
    const sample = await measureLoop(await stage.shared(target), {
      request: bytesFor(target, smallBody(ORDER, true)),
      connections: 32,
      seconds,
      check: (reply) => checkStream(reply, EXPECTED),
    });
    const { cpuMs } = sample;
    return { ...sample, eventsPerCpuSecond: cpuMs === undefined ? undefined : (ORDER.deltas * 1000) / cpuMs };
  },
};
