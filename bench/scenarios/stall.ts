import { setTimeout as sleep } from 'node:timers/promises';
import { createConversation } from '../bodies/conversation.ts';
import { smallBody } from '../bodies/smallBody.ts';
import { checkStream, checkTokenCount } from '../load/checkAnswer.ts';
import { Connection } from '../load/connection.ts';
import type { Reply } from '../load/reply.ts';
import { RequestTemplate } from '../load/requestTemplate.ts';
import { delaysOf, extraGapsOf } from '../load/timing.ts';
import { bytesFor, type Subject } from '../processes/subject.ts';
import type { Target } from '../processes/target.ts';
import { quantile } from '../report/statistics.ts';
import { expectedTokens } from './expectedTokens.ts';
import type { Scenario } from './scenario.ts';
import { countBody } from './tokenCounts.ts';

const PACE_MS = 10;
const EVERY_MS = 1000;
const ROUNDS = 1080;
const LARGE_ORDER = { deltas: 10, everyMs: 0 };

/** A heavy request of another session. */
interface Disturbance {
  request(target: Target): Buffer;
  check(reply: Reply): void;
}

function largeRequest(): Disturbance {
  const body = createConversation({ rounds: ROUNDS, resultBytes: 3700, order: LARGE_ORDER }).bodyAt(ROUNDS);
  const expected = { deltas: LARGE_ORDER.deltas, promptTokens: expectedTokens(body) };
  return { request: (target) => bytesFor(target, body), check: (reply) => checkStream(reply, expected) };
}

function largeCount(): Disturbance {
  const body = countBody();
  return {
    request: (target) => bytesFor(target, body, '/count_tokens'),
    check: (reply) => checkTokenCount(reply, Buffer.byteLength(body)),
  };
}

/** Asks once a second until the stream is over. */
async function disturb({ target, port }: Subject, { request, check }: Disturbance, over: AbortSignal): Promise<void> {
  const connection = await Connection.open(port);
  const template = new RequestTemplate(request(target));
  try {
    for (let serial = 0; !over.aborted; serial += 1) {
      const second = sleep(EVERY_MS, undefined, { signal: over }).catch(() => {});
      check(await connection.ask(template.next(serial)));
      await second;
    }
  } finally {
    connection.close();
  }
}

async function runStream({ target, port }: Subject, seconds: number): Promise<Reply> {
  const order = { deltas: (seconds * 1000) / PACE_MS, everyMs: PACE_MS };
  const connection = await Connection.open(port);
  try {
    const template = new RequestTemplate(bytesFor(target, smallBody(order, true)));
    const reply = await connection.ask(template.next(0), true);
    checkStream(reply, { deltas: order.deltas, promptTokens: 1 });
    return reply;
  } finally {
    connection.close();
  }
}

function stall(name: string, what: string, createDisturbance: () => Disturbance): Scenario {
  let disturbance: Disturbance | undefined;
  return {
    name,
    about: `one stream with a delta every ${PACE_MS} ms while another session sends ${what} once a second`,
    metrics: [
      { key: 'p50', title: 'delay p50 ms', digits: 2 },
      { key: 'p99', title: 'delay p99 ms', digits: 1, compared: true },
      { key: 'max', title: 'delay max ms', digits: 1 },
      { key: 'gap', title: 'longest extra gap ms', digits: 1 },
    ],
    quick: { rounds: 1, seconds: 4 },
    long: { rounds: 3, seconds: 15 },
    warmUpSeconds: 1,
    measure: async (stage, target, seconds) => {
      disturbance ??= createDisturbance();
      const subject = await stage.shared(target);
      const over = new AbortController();
      const [{ arrivals }] = await Promise.all([
        runStream(subject, seconds).finally(() => over.abort()),
        disturb(subject, disturbance, over.signal),
      ]);
      const delays = delaysOf(arrivals);
      return {
        p50: quantile(delays, 0.5),
        p99: quantile(delays, 0.99),
        max: Math.max(...delays),
        gap: Math.max(...extraGapsOf(arrivals)),
      };
    },
  };
}

export const stalls: readonly Scenario[] = [
  stall('S8', 'a request of 5 MB', largeRequest),
  stall('S8 count', 'a count_tokens of 1 MB', largeCount),
];
