import { setTimeout as sleep } from 'node:timers/promises';
import { smallBody } from '../bodies/smallBody.ts';
import { checkStream } from '../load/checkAnswer.ts';
import { Connection } from '../load/connection.ts';
import { RequestTemplate } from '../load/requestTemplate.ts';
import { delaysOf } from '../load/timing.ts';
import { cpuSeconds, peakResidentMib } from '../processes/sessionFacts.ts';
import { bytesFor, type Subject } from '../processes/subject.ts';
import { quantile } from '../report/statistics.ts';
import type { Sample, Scenario } from './scenario.ts';

const STREAMS = 1000;
/** The streams begin one after the other within this time. */
const RAMP_MS = 1000;
const ORDER = { deltas: 100, everyMs: 50 };
const EXPECTED = { deltas: ORDER.deltas, promptTokens: 1 };

async function runStreams({ target, port, session }: Subject): Promise<Sample> {
  const request = bytesFor(target, smallBody(ORDER, true));
  const connections = await Promise.all(Array.from({ length: STREAMS }, () => Connection.open(port)));
  const before = session === undefined ? 0 : cpuSeconds(session);
  const runOne = async (connection: Connection, index: number) => {
    await sleep((index * RAMP_MS) / STREAMS);
    const reply = await connection.ask(new RequestTemplate(request).next(index), true);
    checkStream(reply, EXPECTED);
    return { first: ((reply.firstTextAt ?? reply.endedAt) - reply.askedAt) / 1000, delays: delaysOf(reply.arrivals) };
  };
  try {
    const replies = await Promise.all(connections.map(runOne));
    const delays = replies.flatMap((reply) => reply.delays);
    const firsts = replies.map(({ first }) => first);
    return {
      complete: STREAMS,
      first: quantile(firsts, 0.5),
      p50: quantile(delays, 0.5),
      p99: quantile(delays, 0.99),
      cpu: session === undefined ? undefined : cpuSeconds(session) - before,
      peak: session === undefined ? undefined : peakResidentMib(session),
    };
  } finally {
    for (const connection of connections) connection.close();
  }
}

export const manyStreams: Scenario = {
  name: 'S4',
  about: '1,000 streams at the same time, 100 deltas 50 ms apart, in a fresh process',
  metrics: [
    { key: 'complete', title: 'complete and correct', digits: 0 },
    { key: 'first', title: 'first text p50 ms', digits: 0 },
    { key: 'p50', title: 'one way p50 ms', digits: 2 },
    { key: 'p99', title: 'one way p99 ms', digits: 2, compared: true },
    { key: 'cpu', title: 'CPU s', digits: 2 },
    { key: 'peak', title: 'peak memory MiB', digits: 0 },
  ],
  quick: { rounds: 1, seconds: 0 },
  long: { rounds: 5, seconds: 0 },
  measure: async (stage, target) => {
    const subject = await stage.start(target);
    try {
      return await runStreams(subject);
    } finally {
      await subject.stop();
    }
  },
};
