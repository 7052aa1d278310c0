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

export interface StreamLoad {
  /** Of each subject, at the same time. */
  readonly streams: number;
  /** So many answers one after the other, so that the client keeps little and has time to read. */
  readonly rounds: number;
  readonly order: Order;
}

/** Reads paced streams of all subjects at the same time; throws for an event that is lost, doubled or out of its order. */
export async function runStreams(
  subjects: readonly Subject[],
  { streams, rounds, order }: StreamLoad,
): Promise<StreamFigures> {
  const request = smallBody(order, true);
  const cpuOf = () => subjects.map(({ session }) => (session === undefined ? 0 : cpuSeconds(session)));
  const [before, startedAt] = [cpuOf(), performance.now()];
  const delays: number[] = [];
  const runOne = async (subject: Subject, index: number) => {
    await sleep((index * RAMP_MS) / streams);
    const connection = await Connection.open(subject.port);
    const template = new RequestTemplate(bytesFor(subject.target, request));
    try {
      for (let round = 0; round < rounds; round += 1) {
        const reply = await connection.ask(template.next(index), true);
        checkStream(reply, { deltas: order.deltas, promptTokens: 1 });
        for (const delay of delaysOf(reply.arrivals)) delays.push(delay);
      }
    } finally {
      connection.close();
    }
  };
  await Promise.all(
    subjects.flatMap((subject) => Array.from({ length: streams }, (_, index) => runOne(subject, index))),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const sessions = subjects.flatMap(({ session }) => (session === undefined ? [] : [session]));
  return {
    p50: quantile(delays, 0.5) ?? 0,
    p99: quantile(delays, 0.99) ?? 0,
    peakMib: Math.max(0, ...sessions.map(peakResidentMib)),
    cores: Math.max(...cpuOf().map((used, index) => (used - (before[index] ?? 0)) / seconds)),
  };
}
