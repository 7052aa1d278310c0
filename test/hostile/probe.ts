/**
 * A program that asks an instance's /health every 50 ms, and looks at its memory. It is a process of its own, so that what the tests
 * themselves do (they write and read hundreds of megabytes) delays no question.
 *
 * The machine may be busy with other things, which says nothing about the instance. So the time that a question took counts only as far
 * as the instance had a part in it, by three figures of the same moment:
 * - the time in which the instance's main thread, or this program, was ready to run while others had the processors is taken off;
 * - no more counts than the main thread, which runs the event loop, was at work (one that does nothing at all for seconds is reported as
 *   well);
 * - what is left is divided by how much slower than at its best a fixed piece of work is here, right after the question.
 */
import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { type ProbeReply, type ProbeRequest, type ProbeWindow, WORK_PIECE } from './health.ts';

const INTERVAL_MS = 50;
/** An instance that has done nothing for anybody so long will not be waited for. */
const STALL_MS = 5000;

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

interface Watched {
  readonly port: number;
  readonly pid: number;
}

let watched: Watched | undefined;
let bestPieceMs = Number.POSITIVE_INFINITY;
let current = emptyWindow();
let waiting: (() => void) | undefined;

function emptyWindow(): ProbeWindow {
  return { answers: 0, slowestMs: 0, slowestWallMs: 0, wrong: [], peakMib: 0, bestPieceMs };
}

/** How long a thread has run, and how long it has been ready to run while others had the processors, in ms; undefined where the system does not say. */
function timesOf(schedstat: string): { ran: number; waited: number } | undefined {
  try {
    const [ran = 0, waited = 0] = readFileSync(schedstat, 'utf8').split(' ').map(Number);
    return { ran: ran / 1e6, waited: waited / 1e6 };
  } catch {
    return undefined;
  }
}

/** How long the main thread of a process has run, which may lack what it is at by the length of a tick, and has waited for a processor. */
const timesOfLoop = (pid: number) => timesOf(`/proc/${pid}/schedstat`);

const TICK_MS = 4;

const RUNS = 8;

/** What one takes now, without the time in which others had the processor. */
function pieceMs(): number {
  const startedAt = performance.now();
  const before = timesOfLoop(process.pid)?.waited ?? 0;
  for (let run = 0; run < RUNS; run += 1) JSON.parse(WORK_PIECE);
  const waited = (timesOfLoop(process.pid)?.waited ?? 0) - before;
  return Math.max(0, performance.now() - startedAt - waited) / RUNS;
}

for (let round = 0; round < 20; round += 1) bestPieceMs = Math.min(bestPieceMs, pieceMs());

/** How many times slower than at its best the machine is at the moment. */
function slowdown(): number {
  const now = pieceMs();
  bestPieceMs = Math.min(bestPieceMs, now);
  return now / bestPieceMs;
}

/** Only a question that took longer is worth the calibration. */
const CALIBRATED_MS = 50;

/** Resident memory; 0 where the system does not say. */
function residentMib(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

function ask(port: number): Promise<string> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/health', agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => {
        const isReport = response.statusCode === 200 && text.startsWith('{') && text.endsWith('}');
        resolve(isReport ? '' : `${response.statusCode} ${text.slice(0, 200)}`);
      });
      response.on('error', (error) => resolve(error.message));
    });
    request.on('error', (error) => resolve(error.message));
  });
}

function noteWrong(wrong: string): void {
  if (wrong !== '' && !current.wrong.includes(wrong) && current.wrong.length < 5) current.wrong.push(wrong);
}

async function probe({ port, pid }: Watched): Promise<void> {
  const startedAt = performance.now();
  const before = [pid, process.pid].map(timesOfLoop);
  const took = () => {
    const wall = performance.now() - startedAt;
    const after = [pid, process.pid].map(timesOfLoop);
    const waits = after.map((times, place) => (times?.waited ?? 0) - (before[place]?.waited ?? 0));
    // Both may wait at the same time: the longer wait of the two is the least that was nobody's fault.
    const own = Math.max(0, wall - Math.max(...waits));
    const [now, then] = [after[0], before[0]];
    return {
      wall,
      own,
      worked: now === undefined || then === undefined ? own : Math.min(own, now.ran - then.ran + TICK_MS),
    };
  };
  let reported = false;
  const look = setInterval(() => {
    current.peakMib = Math.max(current.peakMib, residentMib(pid));
    if (reported || took().own < STALL_MS) return;
    reported = true;
    process.send?.({ stalledMs: Math.round(took().own) } satisfies ProbeReply);
  }, INTERVAL_MS);
  const wrong = await ask(port);
  clearInterval(look);
  if (watched?.pid !== pid) return; // it was ended on purpose meanwhile
  const { wall, worked } = took();
  current.answers += 1;
  current.slowestMs = Math.max(current.slowestMs, worked > CALIBRATED_MS ? worked / slowdown() : worked);
  current.slowestWallMs = Math.max(current.slowestWallMs, wall);
  current.peakMib = Math.max(current.peakMib, residentMib(pid));
  noteWrong(wrong);
}

process.on('message', (request: ProbeRequest) => {
  if ('watch' in request) {
    watched = request.watch;
    current = emptyWindow();
  } else {
    // A question is under way that may have met the end of what was tried: its answer counts, and one more.
    const upTo = current.answers + 2;
    waiting = () => {
      if (watched !== undefined && current.answers < upTo) return;
      waiting = undefined;
      process.send?.({ window: current } satisfies ProbeReply);
      current = emptyWindow();
    };
  }
});
process.on('disconnect', () => process.exit());

for (;;) {
  const startedAt = performance.now();
  if (watched !== undefined) await probe(watched);
  waiting?.();
  await new Promise((resolve) => setTimeout(resolve, Math.max(1, INTERVAL_MS - (performance.now() - startedAt))));
}
