import { directTarget } from '../processes/builtInTargets.ts';
import { cpuSeconds } from '../processes/sessionFacts.ts';
import type { Subject } from '../processes/subject.ts';
import type { Target } from '../processes/target.ts';
import { quantile } from '../report/statistics.ts';
import type { Metric, Sample, Stage } from './scenario.ts';

/** Milliseconds that a provider's answer takes here, as in BerriAI's ai-gateway-bench, so that its figures can be laid beside. */
export const UPSTREAM_MS = 22;

export const ADDED_METRICS: readonly Metric[] = [
  { key: 'addedP50', title: 'added p50 ms', digits: 2 },
  { key: 'addedP99', title: 'added p99 ms', digits: 2, compared: true },
  { key: 'directP99', title: 'direct p99 ms', digits: 2 },
  { key: 'cpuMs', title: 'CPU ms per request', digits: 3 },
];

/** Asks a subject for so many seconds. @returns the milliseconds of each request, and how many requests there were */
export type Ask = (
  subject: Subject,
  seconds: number,
) => Promise<{ readonly times: readonly number[]; readonly answers: number }>;

/** What the way through the target adds to the way without it: the difference of the quantiles, both taken in this round. */
export async function measureAdded(stage: Stage, target: Target, seconds: number, ask: Ask): Promise<Sample> {
  const subject = await stage.shared(target);
  const direct = await ask(await stage.shared(directTarget), seconds / 2);
  const before = cpuSeconds(subject.session ?? 0);
  const through = await ask(subject, seconds);
  const used = cpuSeconds(subject.session ?? 0) - before;
  const difference = (share: number) =>
    (quantile(through.times, share) ?? Number.NaN) - (quantile(direct.times, share) ?? Number.NaN);
  return {
    addedP50: difference(0.5),
    addedP99: difference(0.99),
    directP99: quantile(direct.times, 0.99),
    cpuMs: (used * 1000) / through.answers,
  };
}
