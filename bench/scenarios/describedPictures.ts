import { createConversation } from '../bodies/conversation.ts';
import { SERIAL_MARK } from '../bodies/serialMark.ts';
import { checkStream } from '../load/checkAnswer.ts';
import { Connection } from '../load/connection.ts';
import { cpuSeconds } from '../processes/sessionFacts.ts';
import { bytesFor, type Subject } from '../processes/subject.ts';
import { expectedTokens } from './expectedTokens.ts';
import type { Sample, Scenario } from './scenario.ts';

const FIRST_TURN = 50;
const LAST_TURN = 100;
const CONVERSATIONS = 4;
const ORDER = { deltas: 10, everyMs: 0 };
const SHAPE = { rounds: LAST_TURN, resultBytes: 3700, order: ORDER };
const PICTURES = 20;

let conversations = 0;

/** Milliseconds of processor time for each of the turns that follow the first request, with so many bytes in each picture. */
async function cpuPerTurn({ target, port, session }: Subject, bytes: number): Promise<number | undefined> {
  const plain = createConversation(SHAPE);
  const grown = bytes === 0 ? plain : createConversation({ ...SHAPE, pictures: { count: PICTURES, bytes } });
  let cpu = 0;
  for (let conversation = 0; conversation < CONVERSATIONS; conversation += 1) {
    conversations += 1;
    const serial = String(conversations).padStart(SERIAL_MARK.length, '0');
    const connection = await Connection.open(port);
    const ask = async (turn: number) => {
      const reply = await connection.ask(bytesFor(target, grown.bodyAt(turn).replace(SERIAL_MARK, serial)));
      checkStream(reply, { deltas: ORDER.deltas, promptTokens: expectedTokens(plain.bodyAt(turn)) });
    };
    // The pictures are described here.
    await ask(FIRST_TURN);
    const before = session === undefined ? Number.NaN : cpuSeconds(session);
    for (let turn = FIRST_TURN + 1; turn <= LAST_TURN; turn += 1) await ask(turn);
    cpu += session === undefined ? Number.NaN : cpuSeconds(session) - before;
    connection.close();
  }
  return Number.isNaN(cpu) ? undefined : (cpu * 1000) / (CONVERSATIONS * (LAST_TURN - FIRST_TURN));
}

const share = (more: number | undefined, less: number | undefined) =>
  more === undefined || less === undefined ? undefined : (more / less - 1) * 100;

export const describedPictures: Scenario = {
  name: 'S9',
  about: `a conversation of ${FIRST_TURN} to ${LAST_TURN} turns with ${PICTURES} pictures in it, each turn sending all of it, to a model that sees none`,
  metrics: [
    { key: 'none', title: 'CPU ms per turn without pictures', digits: 2 },
    { key: 'small', title: 'of 10 KB each', digits: 2 },
    { key: 'large', title: 'of 150 KB each', digits: 2, compared: true },
    { key: 'smallShare', title: 'more with 10 KB, %', digits: 1 },
    { key: 'largeShare', title: 'more with 150 KB, %', digits: 1 },
  ],
  quick: { rounds: 1, seconds: 0 },
  long: { rounds: 5, seconds: 0 },
  needsProcess: true,
  measure: async (stage, target): Promise<Sample> => {
    const subject = await stage.shared(target);
    const none = await cpuPerTurn(subject, 0);
    const small = await cpuPerTurn(subject, 10_000);
    const large = await cpuPerTurn(subject, 150_000);
    return { none, small, large, smallShare: share(small, none), largeShare: share(large, none) };
  },
};
