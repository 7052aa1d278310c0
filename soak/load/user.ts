import { setTimeout as sleep } from 'node:timers/promises';
import type { Conversation } from '../../bench/bodies/conversation.ts';
import { SERIAL_MARK } from '../../bench/bodies/serialMark.ts';
import { requestBytes } from '../../bench/http/writeMessage.ts';
import { checkMessage, checkStream, type Expected } from '../../bench/load/checkAnswer.ts';
import { Connection } from '../../bench/load/connection.ts';
import type { Order } from '../../bench/upstream/order.ts';
import { FAULTS, modelOf } from '../upstream/fault.ts';
import { checkFault } from './checkFault.ts';
import { addFailure, type Tally } from './tally.ts';

/** A conversation that every user may have, with the order that stands in it. */
export interface Script {
  readonly conversation: Conversation;
  readonly order: Order;
}

export interface World {
  readonly port: number;
  readonly scripts: readonly Script[];
  readonly tally: Tally;
  /** Whether one process of the instance just takes over from another. */
  readonly isMoving: () => boolean;
  readonly over: AbortSignal;
}

const ABORT_SHARE = 0.1;
const FAULT_SHARE = 0.05;
const WHOLE_SHARE = 0.1;
const LONGEST_CONVERSATION = 15;
const THINK_MS = 3000;
const RETRY_MS = 100;
const HANGS_AFTER_MS = 60_000;
/** An abort comes within so much time after the question: before the answer begins, or in its middle. */
const ABORT_WITHIN_MS = 1500;

let serial = 0;

/** The answer; rejects where it takes longer than anything here may take. */
async function withinLimit<Answer>(answer: Promise<Answer>): Promise<Answer> {
  const limit = new AbortController();
  const late = sleep(HANGS_AFTER_MS, undefined, { signal: limit.signal }).then(
    () => Promise.reject(new Error('no answer within a minute')),
    () => answer,
  );
  try {
    return await Promise.race([answer, late]);
  } finally {
    limit.abort();
  }
}

const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(Math.random() * items.length)] as Item;

/** Asks once; a request that meets a process which is just leaving is sent again on a new connection, as clients do. */
class Line {
  readonly #world: World;
  #connection: Connection | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  async ask(request: Buffer) {
    for (;;) {
      try {
        if (this.#connection?.isOpen !== true) this.#connection = await Connection.open(this.#world.port);
        return await withinLimit(this.#connection.ask(request));
      } catch (error) {
        this.close();
        if (!this.#world.isMoving()) throw error;
        this.#world.tally.refused += 1;
        await sleep(RETRY_MS);
      }
    }
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}

async function takeTurn(line: Line, body: string, expected: Expected, { tally, port }: World): Promise<void> {
  const send = (text: string) => line.ask(requestBytes('/v1/messages', { 'anthropic-version': '2023-06-01' }, text));
  const chance = Math.random();
  if (chance < ABORT_SHARE) {
    const connection = await Connection.open(port);
    const gone = connection.ask(requestBytes('/v1/messages', {}, body)).catch(() => {});
    await sleep(Math.random() * ABORT_WITHIN_MS);
    connection.close();
    await gone;
    tally.aborted += 1;
  } else if (chance < ABORT_SHARE + FAULT_SHARE) {
    const fault = pick(FAULTS);
    checkFault(await send(body.replace('"model":"claude-sonnet-5"', `"model":"${modelOf(fault)}"`)), fault);
    // After a broken answer the connection is done.
    line.close();
    tally.faults += 1;
  } else if (chance < ABORT_SHARE + FAULT_SHARE + WHOLE_SHARE) {
    checkMessage(await send(body.replace('"stream":true', '"stream":false')), expected);
    tally.answered += 1;
  } else {
    checkStream(await send(body), expected);
    tally.answered += 1;
  }
}

/** One conversation of some turns, each with all turns before it, as Claude Code sends them. */
async function converse(line: Line, world: World): Promise<void> {
  const { conversation, order } = pick(world.scripts);
  serial += 1;
  const mark = String(serial).padStart(SERIAL_MARK.length, '0');
  const turns = 1 + Math.floor(Math.random() * LONGEST_CONVERSATION);
  for (let turn = 0; turn < turns && !world.over.aborted; turn += 1) {
    const body = conversation.bodyAt(turn).replace(SERIAL_MARK, mark);
    try {
      await takeTurn(line, body, { deltas: order.deltas, promptTokens: 1 }, world);
    } catch (error) {
      line.close();
      // A request of one that was just opened on a listener that closes is lost with it.
      if (world.isMoving()) world.tally.refused += 1;
      else addFailure(world.tally, (error as Error).message);
    }
    await sleep(Math.random() * THINK_MS, undefined, { signal: world.over }).catch(() => {});
  }
}

/** Has one conversation after the other until it is over; every answer is waited for and checked. */
export async function runUser(world: World): Promise<void> {
  const line = new Line(world);
  while (!world.over.aborted) {
    await converse(line, world);
    // A new conversation is a new client.
    line.close();
  }
}
