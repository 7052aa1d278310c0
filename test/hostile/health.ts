import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

/** What was seen of an instance between two moments. */
export interface ProbeWindow {
  answers: number;
  /** The longest that an answer took by the work of the instance; how a busy machine is taken into account says probe.ts. */
  slowestMs: number;
  slowestWallMs: number;
  /** Answers of /health that are no report, and connections that failed; each kind once. */
  wrong: string[];
  /** Most resident memory. */
  peakMib: number;
  /** What a piece of work takes here at best, by all that was seen before. */
  bestPieceMs: number;
}

/** To parse this is a piece of work: it takes about a millisecond, with objects and texts as in the work of an instance. */
export const WORK_PIECE = JSON.stringify(
  Array.from({ length: 4000 }, (_, index) => ({ index, text: `text ${index}` })),
);

export type ProbeRequest =
  | { readonly watch: { port: number; pid: number } | undefined }
  | { readonly takeWindow: true };
export type ProbeReply = { readonly window: ProbeWindow } | { readonly stalledMs: number };

/** Asks an instance how it is, all the time. */
export interface HealthProbe {
  /** Looks at this instance from now on, or at none. */
  watch(instance: { port: number; pid: number } | undefined): void;
  /** What was seen since the last call, or since it looks at this instance. */
  takeWindow(): Promise<ProbeWindow>;
  /** Is called when the instance has not answered for five seconds of its own. */
  onStall: (ms: number) => void;
  close(): void;
}

export function startHealthProbe(): HealthProbe {
  const child: ChildProcess = fork(join(import.meta.dirname, 'probe.ts'), { execArgv: [] });
  let taken: (window: ProbeWindow) => void = () => {};
  const send = (request: ProbeRequest) => void child.send(request);
  const probe: HealthProbe = {
    watch: (instance) => send({ watch: instance }),
    takeWindow: () =>
      new Promise((resolve) => {
        taken = resolve;
        send({ takeWindow: true });
      }),
    onStall: () => {},
    close: () => void child.kill(),
  };
  child.on('message', (reply: ProbeReply) => {
    if ('window' in reply) taken(reply.window);
    else probe.onStall(reply.stalledMs);
  });
  return probe;
}
