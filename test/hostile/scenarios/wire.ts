import { once } from 'node:events';
import { createServer } from 'node:http';
import { createBrotliCompress, createGzip, gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { type Behaviour, openEvents } from '../../helpers/fakeUpstream.ts';
import { EVENTS_HEAD, head, part, whole } from '../../helpers/rawUpstream.ts';
import { FINISH, piece, rawBytes, repeated } from '../answering.ts';
import { type Answer, question, wholeQuestion } from '../client.ts';
import type { Scenario } from '../scenario.ts';

const HELLO = piece({ content: 'hello' }) + FINISH;
const CHUNKED = head('200 OK', { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked' });
const END = '0\r\n\r\n';

/** A body that is small on the wire: blocks of a megabyte each, compressed one behind the other. */
function compressed(encoding: 'gzip' | 'br', type: string, first: string, block: string, megabytes: number): Behaviour {
  const bytes = Buffer.from(block.repeat(Math.ceil(1e6 / block.length)));
  return async (response) => {
    response.writeHead(200, { 'content-type': type, 'content-encoding': encoding });
    const packer = encoding === 'gzip' ? createGzip() : createBrotliCompress();
    packer.pipe(response);
    response.on('close', () => packer.destroy());
    packer.on('error', () => {});
    packer.write(first);
    for (let written = 0; written < megabytes && !response.destroyed; written += 1) {
      await new Promise((resolve) => packer.write(bytes, resolve));
    }
    if (!response.destroyed) packer.end(FINISH);
  };
}

/** Every byte of it in a chunk of its own. */
const single = (text: string) => Buffer.from([...text].map((letter) => `1\r\n${letter}\r\n`).join(''));

/** A provider that can be ended: its streams go on until then, unless it finishes them at once. */
async function startMortal(port: number, streams: number, finishes = false) {
  let count = 0;
  let allArrived = () => {};
  const arrived = new Promise<void>((resolve) => {
    allArrived = resolve;
  });
  const server = createServer((request, response) => {
    request.resume();
    openEvents(response);
    response.write(piece({ content: 'hello' }));
    if (finishes) response.end(FINISH);
    count += 1;
    if (count === streams) allArrived();
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { arrived, close };
}

export const wireScenarios: readonly Scenario[] = [
  {
    name: 'sends a line without end in chunks of one byte: 2 MB',
    provider: rawBytes(CHUNKED, part('data: '), ...Array.from({ length: 200 }, () => single('x'.repeat(10_000))), END),
  },
  {
    name: 'sends a stream in chunks of one byte',
    provider: rawBytes(CHUNKED, single(piece({ content: 'abcdefgh'.repeat(10) }).repeat(500)), single(FINISH), END),
    holds: ([answer]) => expect(answer?.text).toContain('event: message_stop'),
  },
  {
    name: 'announces 20,000 early answers',
    provider: rawBytes('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'.repeat(20_000), EVENTS_HEAD, HELLO),
  },
  {
    name: 'sends headers of two letters without end',
    provider: rawBytes('HTTP/1.1 200 OK\r\n', repeated('x: y\r\n', 6_000_000)),
  },
  {
    name: 'says 20,000 times that it goes on',
    provider: rawBytes('HTTP/1.1 100 Continue\r\n\r\n'.repeat(20_000), EVENTS_HEAD, HELLO),
  },
  {
    name: 'switches to another protocol',
    provider: rawBytes('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n', HELLO),
  },
  {
    name: 'sends trailers',
    provider: rawBytes(CHUNKED, part(HELLO), '0\r\nx-hostile: yes\r\ncontent-type: text/html\r\n\r\n'),
    holds: ([answer]) => {
      expect(answer?.text).toContain('event: message_stop');
      expect(answer?.headers['x-hostile']).toBeUndefined();
    },
  },
  {
    name: 'sends 5,000 trailers',
    provider: rawBytes(CHUNKED, part(HELLO), `0\r\n${'x-hostile: yes\r\n'.repeat(5000)}\r\n`),
  },
  {
    name: 'extends a chunk by 1 MB',
    provider: rawBytes(CHUNKED, `1;${'x'.repeat(1_000_000)}\r\nd\r\n`, END),
  },
  { name: 'begins a chunk of 16 exabytes', provider: rawBytes(CHUNKED, `ffffffffffffffff\r\n${HELLO}`) },
  {
    name: 'promises more than it sends',
    provider: rawBytes(
      head('200 OK', { 'content-type': 'application/json', 'content-length': '99999999999999' }),
      '{}',
    ),
    questions: [wholeQuestion('hostile')],
  },
  {
    name: 'answers twice',
    provider: rawBytes(whole('200 OK', 'text/event-stream', HELLO), whole('200 OK', 'text/event-stream', HELLO)),
  },
  {
    name: 'sends headers that are of its own',
    provider: rawBytes(
      head('200 OK', {
        'content-type': 'text/event-stream',
        'set-cookie': 'a=b',
        'access-control-allow-origin': '*',
        'x-hostile': 'yes',
        connection: 'close',
      }),
      HELLO,
    ),
    holds: ([answer]) => {
      const names = Object.keys(answer?.headers ?? {});
      expect(names).not.toContain('set-cookie');
      expect(names).not.toContain('access-control-allow-origin');
      expect(names).not.toContain('x-hostile');
    },
  },
  { name: 'sends headers of 1 MB', provider: rawBytes(head('200 OK', { 'x-hostile': 'x'.repeat(1_000_000) })) },
  { name: 'does not speak HTTP', provider: rawBytes('SSH-2.0-OpenSSH_9.9\r\n'.repeat(1000)) },
  {
    name: 'hides 300 MB of comments in gzip',
    provider: compressed('gzip', 'text/event-stream', '', `: ${'c'.repeat(1020)}\n\n`, 300),
  },
  {
    name: 'hides 300 MB of one line in brotli',
    provider: compressed('br', 'text/event-stream', 'data: ', 'c'.repeat(1000), 300),
  },
  {
    name: 'hides a JSON answer of 300 MB in gzip',
    provider: compressed('gzip', 'application/json', '{"a":"', 'a'.repeat(1000), 300),
    questions: [wholeQuestion('hostile')],
  },
  {
    name: 'hides an error of 200 MB in gzip',
    provider: (response) => {
      response.writeHead(500, { 'content-type': 'text/plain', 'content-encoding': 'gzip' });
      response.end(gzipSync(Buffer.alloc(200_000_000, 'a')));
    },
  },
  {
    name: 'says gzip and sends none',
    provider: (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' }).end(HELLO);
    },
  },
  {
    name: 'breaks off in mid-stream',
    provider: async (response) => {
      openEvents(response);
      await new Promise((resolve) => response.write(piece({ content: 'hello' }), resolve));
      response.socket?.resetAndDestroy();
    },
  },
  {
    name: 'is started anew under forty streams, three times',
    act: async ({ ask, mortalPort }) => {
      const answers: Answer[] = [];
      for (let round = 0; round < 3; round += 1) {
        const { arrived, close } = await startMortal(mortalPort, 40);
        const asked = Array.from({ length: 40 }, () => ask(question('mortal,hostile')));
        await arrived;
        await close();
        answers.push(...(await Promise.all(asked)));
      }
      const { close } = await startMortal(mortalPort, 1, true);
      const back = await ask(question('mortal,hostile'));
      await close();
      expect(back.text).toContain('event: message_stop');
      return [...answers, back];
    },
  },
];
