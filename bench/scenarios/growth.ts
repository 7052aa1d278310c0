import { type Conversation, createConversation } from '../bodies/conversation.ts';
import { SERIAL_MARK } from '../bodies/serialMark.ts';
import { checkStream } from '../load/checkAnswer.ts';
import { Connection } from '../load/connection.ts';
import { cpuSeconds, residentMib } from '../processes/sessionFacts.ts';
import { bytesFor, type Subject } from '../processes/subject.ts';
import { quantile } from '../report/statistics.ts';
import { expectedTokens } from './expectedTokens.ts';
import type { Sample, Scenario } from './scenario.ts';

const FIRST_TURN = 10;
const LAST_TURN = 500;
/** Turns over which the cost at the beginning and at the end is taken. */
const PART = 100;
const ORDER = { deltas: 10, everyMs: 0 };
let conversations = 0;

interface Part {
  /** Seconds of processor time. */
  readonly cpu: number | undefined;
  /** Milliseconds to the first text of each turn. */
  readonly firsts: readonly number[];
}

async function runTurns(
  subject: Subject,
  grown: Conversation,
  serial: string,
  from: number,
  to: number,
): Promise<Part> {
  const { target, port, session } = subject;
  const connection = await Connection.open(port);
  const before = session === undefined ? 0 : cpuSeconds(session);
  const firsts: number[] = [];
  try {
    for (let turn = from; turn < to; turn += 1) {
      const body = grown.bodyAt(turn).replace(SERIAL_MARK, serial);
      const reply = await connection.ask(bytesFor(target, body));
      checkStream(reply, { deltas: ORDER.deltas, promptTokens: expectedTokens(body) });
      firsts.push(((reply.firstTextAt ?? reply.endedAt) - reply.askedAt) / 1000);
    }
  } finally {
    connection.close();
  }
  return { cpu: session === undefined ? undefined : cpuSeconds(session) - before, firsts };
}

function perTurn(parts: readonly Part[]): number | undefined {
  const turns = parts.reduce((sum, { firsts }) => sum + firsts.length, 0);
  const cpu = parts.reduce((sum, part) => sum + (part.cpu ?? Number.NaN), 0);
  return Number.isNaN(cpu) ? undefined : (cpu * 1000) / turns;
}

export const growth: Scenario = {
  name: 'S7',
  about: `a conversation that grows from ${FIRST_TURN} to ${LAST_TURN} turns (100 KB to 1 MB), each turn sending all of it`,
  metrics: [
    { key: 'all', title: 'CPU ms per turn', digits: 2, compared: true },
    { key: 'begin', title: `first ${PART} turns`, digits: 2 },
    { key: 'end', title: `last ${PART} turns`, digits: 2 },
    { key: 'first', title: 'first text p50 ms, last turns', digits: 2 },
    { key: 'memory', title: 'RSS MiB afterwards', digits: 0 },
  ],
  quick: { rounds: 1, seconds: 0 },
  long: { rounds: 5, seconds: 0 },
  measure: async (stage, target): Promise<Sample> => {
    const subject = await stage.shared(target);
    conversations += 1;
    const serial = String(conversations).padStart(SERIAL_MARK.length, '0');
    const grown = createConversation({ rounds: LAST_TURN, resultBytes: 1200, order: ORDER });
    const borders = [FIRST_TURN, FIRST_TURN + PART, LAST_TURN - PART, LAST_TURN];
    const parts: Part[] = [];
    for (const [index, to] of borders.slice(1).entries()) {
      parts.push(await runTurns(subject, grown, serial, borders[index] ?? to, to));
    }
    const last = parts.slice(-1);
    return {
      all: perTurn(parts),
      begin: perTurn(parts.slice(0, 1)),
      end: perTurn(last),
      first: quantile(
        last.flatMap(({ firsts }) => firsts),
        0.5,
      ),
      memory: subject.session === undefined ? undefined : residentMib(subject.session),
    };
  },
};
