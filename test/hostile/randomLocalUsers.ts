import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'vitest';
import { type Answer, type Question, wholeQuestion } from './client.ts';
import { askLocalSockets } from './localSockets.ts';
import { named, type Random, text } from './random.ts';
import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';

/** What a header may hold: other bytes no client of HTTP sends. */
const headerText = (random: Random, letters: number) =>
  text(random, letters)
    .replaceAll(/[^ -~]/g, '?')
    .trim() || 'x';

/** Asks so often with tokens that are none, in any header, and the owner at the same time. */
function wrongTokens(random: Random): Scenario {
  const tries = random.size(1, 60);
  const length = random.size(1, 10_000);
  const tried = Array.from({ length: tries }, (_, index): Question => {
    const token = `${index}${headerText(random, length)}`;
    const headers = random.pick<Record<string, string>>([
      { 'x-api-key': token },
      { authorization: `Bearer ${token}`, 'x-api-key': '' },
      { authorization: token, 'x-api-key': token },
      { 'x-api-key': '', authorization: '' },
    ]);
    return { ...wholeQuestion('ordinary'), headers };
  });
  return {
    name: named('wrong tokens', tries, length),
    act: async (stage) => {
      const asked = tried.map(stage.ask);
      const owners = await Promise.all([stage.ask(wholeQuestion('ordinary')), stage.ask(wholeQuestion('ordinary'))]);
      const answers = await Promise.all(asked);
      for (const { status, text: said } of answers) expect([401, 429, 431], said).toContain(status);
      for (const { status, text: said } of owners) expect(status, said).toBe(200);
      return [...answers, ...owners];
    },
  };
}

/** What a page in a browser of the machine could send: another host, an origin, another site. */
function foreignPages(random: Random): Scenario {
  const length = random.size(1, 4000);
  const asked = Array.from({ length: random.size(1, 10) }, (): Question => {
    const headers = random.pick<Record<string, string>>([
      { host: `127.0.0.1${headerText(random, length)}x` },
      { host: `${headerText(random, length)}.example` },
      { origin: headerText(random, length) },
      { origin: 'null' },
      { 'sec-fetch-site': random.pick(['cross-site', 'same-site']) },
    ]);
    return { ...wholeQuestion('ordinary'), headers };
  });
  return {
    name: named('foreign pages', asked.length, length),
    questions: asked,
    holds: (answers) => {
      for (const { status, text: said } of answers) expect([400, 403, 431], said).toContain(status);
    },
  };
}

/** Says something to the port that may be HTTP, and leaves when it is answered or a moment has gone. */
async function say(stage: Stage, bytes: Buffer): Promise<void> {
  const socket = connect(stage.binary.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.setTimeout(300, () => socket.destroy());
  socket.resume();
  socket.write(bytes);
  await once(socket, 'close').catch(() => {});
}

/** Bytes in place of a request, cut and joined from what requests consist of. */
function bytesAtPort(random: Random): Scenario {
  const parts = [
    'POST /v1/messages HTTP/1.1\r\n',
    'GET /health HTTP/1.1\r\n',
    'OPTIONS * HTTP/1.0\r\n',
    'Host: localhost\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Content-Length: 5\r\n',
    'Content-Length: 99999999999999999999\r\n',
    'Expect: 100-continue\r\n',
    'Upgrade: h2c\r\nConnection: upgrade\r\n',
    'Content-Type: application/json\r\n',
    '\r\n',
    '\n',
    '0\r\n\r\n',
    'ffffffff\r\n',
    '\u0000',
    '{"model":"ordinary"}',
  ] as const;
  const connections = random.size(1, 200);
  const said = Array.from({ length: connections }, () => {
    const words = Array.from({ length: random.size(1, 30) }, () =>
      random.next() < 0.9 ? random.pick(parts) : text(random, random.size(1, 20_000)),
    );
    return Buffer.from(words.join(''));
  });
  return {
    name: named('bytes at the port', connections),
    act: async (stage) => {
      await Promise.all(said.map((bytes) => say(stage, bytes)));
      return [];
    },
  };
}

/** Calls the instance's own sockets, and says something there that nobody asks for. */
function localSockets(random: Random): Scenario {
  const calls = random.size(1, 40);
  const words = random.coin ? '' : text(random, random.size(1, 2_000_000));
  return {
    name: named('local sockets', calls, words.length),
    act: async (stage): Promise<readonly Answer[]> => {
      const answers = await Promise.all(Array.from({ length: calls }, () => askLocalSockets(stage, words)));
      for (const answer of answers.flat()) if (answer !== '') JSON.parse(answer);
      return [];
    },
  };
}

/** What another user of the machine does, who has no token. */
export const localUser = (random: Random): Scenario =>
  random.pick([wrongTokens, foreignPages, bytesAtPort, localSockets])(random);
