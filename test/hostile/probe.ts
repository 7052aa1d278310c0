/**
 * A program that asks an instance's /health every 50 ms, and looks at its memory. It is a process of its own, so that what the tests
 * themselves do (they write and read hundreds of megabytes) delays no question.
 */
import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import type { ProbeReply, ProbeRequest, ProbeWindow } from './health.ts';

const INTERVAL_MS = 50;
/** An instance that has done nothing for anybody so long will not be waited for. */
const STALL_MS = 5000;

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

interface Watched {
  readonly port: number;
  readonly pid: number;
}

let watched: Watched | undefined;
let current = emptyWindow();
let waiting: (() => void) | undefined;

function emptyWindow(): ProbeWindow {
  return { answers: 0, slowestMs: 0, slowestWallMs: 0, wrong: [], peakMib: 0 };
}

/**
 * How long the main thread of a process has been ready to run while others had the processors, in ms. On a machine that is busy with
 * other things this is most of the time that an answer takes, and says nothing about the instance. 0 where the system does not say.
 */
function waitedForProcessor(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

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
  const waitedBefore = [pid, process.pid].map(waitedForProcessor);
  const took = () => {
    const wall = performance.now() - startedAt;
    const waits = [pid, process.pid].map((one, place) => waitedForProcessor(one) - (waitedBefore[place] ?? 0));
    // Both may wait at the same time: the longer wait of the two is the least that was nobody's fault.
    return { wall, own: Math.max(0, wall - Math.max(...waits)) };
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
  const { wall, own } = took();
  current.answers += 1;
  current.slowestMs = Math.max(current.slowestMs, own);
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
