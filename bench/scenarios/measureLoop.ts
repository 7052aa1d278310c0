import { type LoopOptions, runClosedLoop } from '../load/closedLoop.ts';
import { cpuSeconds } from '../processes/sessionFacts.ts';
import type { Subject } from '../processes/subject.ts';
import { quantile } from '../report/statistics.ts';
import type { Metric, Sample } from './scenario.ts';

/** Columns that every closed loop has. */
export const LOOP_METRICS = {
  cpuMs: { key: 'cpuMs', title: 'CPU ms per request', digits: 3 },
  perSecond: { key: 'perSecond', title: 'requests/s', digits: 0 },
  p50: { key: 'p50', title: 'p50 ms', digits: 2 },
  p99: { key: 'p99', title: 'p99 ms', digits: 2 },
  firstP50: { key: 'firstP50', title: 'first text p50 ms', digits: 2 },
  cores: { key: 'cores', title: 'cores used', digits: 2 },
} as const satisfies Record<string, Metric>;

/** Runs the loop and adds what the target used for it. */
export async function measureLoop({ port, session }: Subject, options: Omit<LoopOptions, 'port'>): Promise<Sample> {
  const before = session === undefined ? 0 : cpuSeconds(session);
  const { answers, seconds, latencies, firstTexts } = await runClosedLoop({ ...options, port });
  const used = session === undefined ? undefined : cpuSeconds(session) - before;
  return {
    perSecond: answers / seconds,
    cpuMs: used === undefined ? undefined : (used * 1000) / answers,
    cores: used === undefined ? undefined : used / seconds,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    firstP50: quantile(firstTexts, 0.5),
  };
}
