import { createConversation } from '../bodies/conversation.ts';
import { SERIAL_MARK } from '../bodies/serialMark.ts';
import { smallBody } from '../bodies/smallBody.ts';
import { checkStream, checkToolCall } from '../load/checkAnswer.ts';
import { runClosedLoop } from '../load/closedLoop.ts';
import { Connection } from '../load/connection.ts';
import { delaysOf, extraGapsOf } from '../load/timing.ts';
import { bytesFor, type Subject } from '../processes/subject.ts';
import { quantile } from '../report/statistics.ts';
import { expectedTokens } from './expectedTokens.ts';
import { ADDED_METRICS, measureAdded, UPSTREAM_MS } from './measureAdded.ts';
import type { Sample, Scenario, Stage } from './scenario.ts';

const STREAM = { deltas: 20, everyMs: 10, afterMs: UPSTREAM_MS };
const CALL = { deltas: 20, everyMs: 0, afterMs: UPSTREAM_MS, toolCall: true } as const;
const TURNS = 20;
const HEAVY_ROUNDS = 80;
const HEAVY_BYTES = 4500;

const EFFORT = { quick: { rounds: 1, seconds: 2 }, long: { rounds: 3, seconds: 3 }, warmUpSeconds: 1 } as const;

interface StreamTimes {
  readonly firsts: readonly number[];
  readonly delays: readonly number[];
  readonly gaps: readonly number[];
}

/** Agents that ask for one stream after the other; each delta must come once and in order. */
async function runAgents({ target, port }: Subject, agents: number, seconds: number): Promise<StreamTimes> {
  const delays: number[] = [];
  const gaps: number[] = [];
  const { firstTexts } = await runClosedLoop({
    port,
    request: bytesFor(target, smallBody(STREAM, true)),
    connections: agents,
    seconds,
    isPaced: true,
    check: (reply) => {
      checkStream(reply, { deltas: STREAM.deltas, promptTokens: 1 });
      delays.push(...delaysOf(reply.arrivals));
      gaps.push(...extraGapsOf(reply.arrivals).map(Math.abs));
    },
  });
  return { firsts: firstTexts, delays, gaps };
}

const STREAM_METRICS = [
  { key: 'firstP50', title: 'first text p50 ms', digits: 2 },
  { key: 'firstP99', title: 'first text p99 ms', digits: 2 },
  { key: 'jitter', title: 'first text p99 − p50 ms', digits: 2 },
  { key: 'delayP99', title: 'delta one way p99 ms', digits: 2, compared: true },
  { key: 'gapP99', title: 'gap off the pace p99 ms', digits: 2 },
] as const;

function summarizeStreams({ firsts, delays, gaps }: StreamTimes): Sample {
  const [firstP50, firstP99] = [quantile(firsts, 0.5), quantile(firsts, 0.99)];
  const jitter = firstP50 === undefined || firstP99 === undefined ? undefined : firstP99 - firstP50;
  return { firstP50, firstP99, jitter, delayP99: quantile(delays, 0.99), gapP99: quantile(gaps, 0.99) };
}

function streams(name: string, agents: number): Scenario {
  return {
    ...EFFORT,
    name,
    about: `${agents} concurrent agents, streams of ${STREAM.deltas} deltas ${STREAM.everyMs} ms apart after ${UPSTREAM_MS} ms`,
    metrics: STREAM_METRICS,
    measure: async (stage, target, seconds) =>
      summarizeStreams(await runAgents(await stage.shared(target), agents, seconds)),
  };
}

let conversations = 0;

/** Whole sessions of one agent, each turn a tool call more. */
async function runToolLoop({ target, port }: Subject, seconds: number) {
  const conversation = createConversation({ rounds: TURNS, resultBytes: 1200, order: CALL });
  const connection = await Connection.open(port);
  const times: number[] = [];
  const deadline = performance.now() + seconds * 1000;
  try {
    do {
      conversations += 1;
      const serial = String(conversations).padStart(SERIAL_MARK.length, '0');
      for (let turn = 0; turn < TURNS; turn += 1) {
        const body = conversation.bodyAt(turn).replace(SERIAL_MARK, serial);
        const reply = await connection.ask(bytesFor(target, body));
        checkToolCall(reply, { deltas: CALL.deltas, promptTokens: expectedTokens(body) });
        times.push((reply.endedAt - reply.askedAt) / 1000);
      }
    } while (performance.now() < deadline);
  } finally {
    connection.close();
  }
  return { times, answers: times.length };
}

const toolLoop: Scenario = {
  ...EFFORT,
  name: 'S12 tools',
  about: `what a proxy adds to each turn of a tool loop: ${TURNS} turns, each answered by a call whose arguments come in ${CALL.deltas} deltas`,
  metrics: ADDED_METRICS,
  needsProcess: true,
  measure: (stage, target, seconds) => measureAdded(stage, target, seconds, runToolLoop),
};

/** Requests of 100,000 tokens, one after the other, until it is over. */
async function sendHeavyRequests({ target, port }: Subject, seconds: number): Promise<void> {
  const order = { deltas: 10, everyMs: 0, afterMs: UPSTREAM_MS };
  const body = createConversation({ rounds: HEAVY_ROUNDS, resultBytes: HEAVY_BYTES, order }).bodyAt(HEAVY_ROUNDS);
  const expected = { deltas: order.deltas, promptTokens: expectedTokens(body) };
  const request = bytesFor(target, body);
  await runClosedLoop({ port, request, connections: 1, seconds, check: (reply) => checkStream(reply, expected) });
}

const headOfLine: Scenario = {
  ...EFFORT,
  name: 'S13',
  about:
    '8 small streaming agents while another session sends requests of 100,000 tokens one after the other (head of line)',
  metrics: STREAM_METRICS,
  measure: async (stage: Stage, target, seconds) => {
    const subject = await stage.shared(target);
    const [times] = await Promise.all([runAgents(subject, 8, seconds), sendHeavyRequests(subject, seconds)]);
    return summarizeStreams(times);
  },
};

export const agentTurns: readonly Scenario[] = [streams('S12 16', 16), streams('S12 64', 64), toolLoop, headOfLine];
