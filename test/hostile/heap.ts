import { WORK_PIECE } from './health.ts';

/** What a process needs, and what it has. */
export interface Memory {
  /** What is in use in V8's heap and beside it (buffers), after a collection, in MiB. */
  readonly usedMib: number;
  readonly residentMib: number;
}

const MIB = 1024 * 1024;

/** Connects to the inspector of a process: the Chrome DevTools protocol over a WebSocket. */
async function openInspector(url: string): Promise<{
  call(method: string, parameters?: object): Promise<{ result?: { value?: unknown } }>;
  close(): void;
}> {
  const socket = new WebSocket(url);
  const answers = new Map<number, (result: { result?: { value?: unknown } }) => void>();
  let last = 0;
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data));
    answers.get(id)?.(result ?? {});
    answers.delete(id);
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => reject(new Error(`no inspector at ${url}`)));
  });
  return {
    call: (method, params = {}) =>
      new Promise((resolve) => {
        last += 1;
        answers.set(last, resolve);
        socket.send(JSON.stringify({ id: last, method, params }));
      }),
    close: () => socket.close(),
  };
}

/**
 * What a process holds when nobody needs anything of it: its resident memory alone also says how much V8 and the allocator keep for
 * later, which depends on what came in which order.
 * @param url of its inspector
 */
export async function measureMemory(url: string): Promise<Memory> {
  const inspector = await openInspector(url);
  try {
    // What only the finalizers of the first collection let go is found by the second.
    for (let round = 0; round < 2; round += 1) await inspector.call('HeapProfiler.collectGarbage');
    const { result } = await inspector.call('Runtime.evaluate', {
      expression: 'JSON.stringify(process.memoryUsage())',
      returnByValue: true,
    });
    const { heapUsed, external, rss } = JSON.parse(String(result?.value));
    return { usedMib: (heapUsed + external) / MIB, residentMib: rss / MIB };
  } finally {
    inspector.close();
  }
}

/**
 * Has the event loop of a process do nothing but so many pieces of work.
 * @param url of its inspector
 */
export async function holdLoop(url: string, pieces: number): Promise<void> {
  const inspector = await openInspector(url);
  try {
    await inspector.call('Runtime.evaluate', {
      // Not in the inspector's own turn, which would have nobody wait for the event loop.
      expression: `setTimeout((text) => { for (let run = 0; run < ${pieces}; run += 1) JSON.parse(text); }, 1, ${JSON.stringify(WORK_PIECE)}); 0`,
      returnByValue: true,
    });
  } finally {
    inspector.close();
  }
}
