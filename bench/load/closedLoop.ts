import { monotonicMicros } from '../upstream/deltaText.ts';
import { Connection } from './connection.ts';
import type { Reply } from './reply.ts';
import { RequestTemplate } from './requestTemplate.ts';

export interface LoopOptions {
  readonly port: number;
  readonly request: Buffer;
  readonly connections: number;
  readonly seconds: number;
  /** Whether the time of each delta is taken. */
  readonly isPaced?: boolean;
  /** Throws for a wrong answer, which ends the run. */
  readonly check: (reply: Reply) => void;
}

export interface LoopResult {
  readonly answers: number;
  /** From the first question to the last answer. */
  readonly seconds: number;
  /** Milliseconds from question to whole answer. */
  readonly latencies: readonly number[];
  /** Milliseconds from question to first text, of streams. */
  readonly firstTexts: readonly number[];
}

let serial = 0;

/** Each connection asks again as soon as it has its answer, until the time is over; all answers are waited for. */
export async function runClosedLoop(options: LoopOptions): Promise<LoopResult> {
  const { port, request, check } = options;
  const connections = await Promise.all(Array.from({ length: options.connections }, () => Connection.open(port)));
  const latencies: number[] = [];
  const firstTexts: number[] = [];
  const startedAt = monotonicMicros();
  const deadline = startedAt + options.seconds * 1e6;
  const askUntilDeadline = async (connection: Connection) => {
    const template = new RequestTemplate(request);
    do {
      serial += 1;
      const reply = await connection.ask(template.next(serial), options.isPaced);
      check(reply);
      latencies.push((reply.endedAt - reply.askedAt) / 1000);
      if (reply.firstTextAt !== undefined) firstTexts.push((reply.firstTextAt - reply.askedAt) / 1000);
    } while (monotonicMicros() < deadline);
  };
  try {
    await Promise.all(connections.map(askUntilDeadline));
  } finally {
    for (const connection of connections) connection.close();
  }
  return { answers: latencies.length, seconds: (monotonicMicros() - startedAt) / 1e6, latencies, firstTexts };
}
