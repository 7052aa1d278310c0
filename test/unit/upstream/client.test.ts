import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { HttpUpstream } from '../../../src/upstream/client.ts';
import type { UpstreamHandler } from '../../../src/upstream/upstream.ts';
import { waitUntil } from '../../helpers/waitUntil.ts';
import { work } from '../../helpers/work.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function connectTo(answer: RequestListener): Promise<HttpUpstream> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const upstream = new HttpUpstream({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    keyHeader: 'authorization',
    headers: {},
    userAgent: 'test',
    connectTimeoutMs: 5000,
    headersTimeoutMs: 5000,
    networkProxy: { httpProxy: undefined, httpsProxy: undefined, noProxy: undefined },
  });
  closers.push(
    () => upstream.close(),
    async () => server.close(),
  );
  return upstream;
}

const REQUEST = { body: '{}', stream: true, model: 'm', authorization: undefined };

/** Counts the turns of the event loop until it is stopped. */
function countTurns(): { readonly now: number; stop(): void } {
  let immediate = setImmediate(next);
  const turns = { now: 0, stop: () => clearImmediate(immediate) };
  function next(): void {
    turns.now += 1;
    immediate = setImmediate(next);
  }
  return turns;
}

const ANSWERS = 12;
const BODY = 'b'.repeat(6000);
const LAST = 'last';

/** What a server sends first and last, and where the reader works: at the last bytes, or at the end behind them. */
interface Ending {
  readonly name: string;
  readonly head?: Record<string, string>;
  readonly first: Buffer | string;
  readonly last: Buffer | string | undefined;
  readonly worksAt: 'bytes' | 'end';
}

const compressed = gzipSync(BODY + LAST, { level: 0 });
const ENDINGS: Ending[] = [
  { name: 'a few bytes', first: BODY, last: LAST, worksAt: 'bytes' },
  { name: 'the end', first: BODY + LAST, last: undefined, worksAt: 'end' },
  {
    name: 'a few compressed bytes',
    head: { 'content-encoding': 'gzip' },
    first: compressed.subarray(0, -20),
    last: compressed.subarray(-20),
    worksAt: 'end',
  },
];

test.each(ENDINGS)(
  'many large answers that end at once with $name are read a few in each turn of the event loop',
  async ({ head = {}, first, last, worksAt }) => {
    const open: ServerResponse[] = [];
    const upstream = await connectTo((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', ...head });
      response.write(first);
      open.push(response);
    });
    const bodies = Array.from({ length: ANSWERS }, () => '');
    const errors: Error[] = [];
    const ended: number[] = [];
    const turns = countTurns();
    const worked: number[] = [];
    const workOnce = () => {
      work(20);
      worked.push(turns.now);
    };
    const readerOf = (index: number): UpstreamHandler => ({
      onHead: () => {},
      onData: (bytes) => {
        bodies[index] += Buffer.from(bytes).toString('utf8');
        if (worksAt === 'bytes' && bodies[index]?.endsWith(LAST)) workOnce();
      },
      onEnd: () => {
        ended.push(index);
        if (worksAt === 'end') workOnce();
      },
      onError: (error) => errors.push(error),
    });
    for (let index = 0; index < ANSWERS; index += 1) upstream.send(REQUEST, readerOf(index));
    await waitUntil('all have come but for their ends', async () => bodies.every((body) => body.length >= 5900));

    for (const response of open) response.end(last);
    await waitUntil('all have ended', async () => ended.length + errors.length === ANSWERS);
    turns.stop();
    expect(errors).toEqual([]);
    expect(new Set(bodies)).toEqual(new Set([BODY + LAST]));
    expect(worked).toHaveLength(ANSWERS);
    const inEachTurn = worked.map((turn) => worked.filter((other) => other === turn).length);
    expect(Math.max(...inEachTurn)).toBeLessThanOrEqual(2);
  },
);

test('what is held when the rest of an answer cannot be decoded is read before the error', async () => {
  const sound = compressed.subarray(0, -8);
  const open: ServerResponse[] = [];
  const upstream = await connectTo((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
    response.write(sound.subarray(0, -20));
    open.push(response);
  });
  const bodies = Array.from({ length: ANSWERS }, () => '');
  const failed: string[] = [];
  const readerOf = (index: number): UpstreamHandler => ({
    onHead: () => {},
    onData: (bytes) => {
      bodies[index] += Buffer.from(bytes).toString('utf8');
      if (bodies[index]?.endsWith(LAST) !== true) return;
      work(20);
      // While the others wait for their turn, in place of the sum that stands behind what is compressed.
      for (const response of open.splice(0)) response.end('no sum!!');
    },
    onEnd: () => {},
    onError: () => failed.push(bodies[index]?.slice(BODY.length) ?? ''),
  });
  for (let index = 0; index < ANSWERS; index += 1) upstream.send(REQUEST, readerOf(index));
  await waitUntil('all have come but for their ends', async () => bodies.every((body) => body.length >= 5900));

  for (const response of open) response.write(sound.subarray(-20));
  await waitUntil('all have failed', async () => failed.length === ANSWERS);
  expect(failed).toEqual(Array(ANSWERS).fill(LAST));
});
