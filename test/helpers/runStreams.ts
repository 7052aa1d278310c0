import { setTimeout as sleep } from 'node:timers/promises';
import { smallBody } from '../../bench/bodies/smallBody.ts';
import { checkStream } from '../../bench/load/checkAnswer.ts';
import { Connection } from '../../bench/load/connection.ts';
import { RequestTemplate } from '../../bench/load/requestTemplate.ts';
import { delaysOf } from '../../bench/load/timing.ts';
import { cpuSeconds, peakResidentMib } from '../../bench/processes/sessionFacts.ts';
import { bytesFor, type Subject } from '../../bench/processes/subject.ts';
import { quantile } from '../../bench/report/statistics.ts';
import type { Order } from '../../bench/upstream/order.ts';

/** The streams begin one after the other within this time. */
const RAMP_MS = 1000;

export interface StreamFigures {
  /** Milliseconds from the provider's sending of a delta to its arrival. */
  readonly p50: number;
  readonly p99: number;
  /** The most memory of one process, in MiB. */
  readonly peakMib: number;
  /** Cores used by one process, on average. */
  readonly cores: number;
}

/** Reads so many paced streams of each subject at the same time; throws for an event that is lost, doubled or out of its order. */
export async function runStreams(subjects: readonly Subject[], streams: number, order: Order): Promise<StreamFigures> {
  const request = smallBody(order, true);
  const cpuOf = () => subjects.map(({ session }) => (session === undefined ? 0 : cpuSeconds(session)));
  const [before, startedAt] = [cpuOf(), performance.now()];
  const runOne = async (subject: Subject, index: number) => {
    await sleep((index * RAMP_MS) / streams);
    const connection = await Connection.open(subject.port);
    try {
      const template = new RequestTemplate(bytesFor(subject.target, request));
      const reply = await connection.ask(template.next(index), true);
      checkStream(reply, { deltas: order.deltas, promptTokens: 1 });
      return delaysOf(reply.arrivals);
    } finally {
      connection.close();
    }
  };
  const all = subjects.flatMap((subject) => Array.from({ length: streams }, (_, index) => runOne(subject, index)));
  const delays = (await Promise.all(all)).flat();
  const seconds = (performance.now() - startedAt) / 1000;
  const sessions = subjects.flatMap(({ session }) => (session === undefined ? [] : [session]));
  return {
    p50: quantile(delays, 0.5) ?? 0,
    p99: quantile(delays, 0.99) ?? 0,
    peakMib: Math.max(0, ...sessions.map(peakResidentMib)),
    cores: Math.max(...cpuOf().map((used, index) => (used - (before[index] ?? 0)) / seconds)),
  };
}
