import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message } from '../helpers/startApp.ts';
import { startBinary } from '../helpers/startBinary.ts';
import { waitUntil } from '../helpers/waitUntil.ts';

const LIMIT = 64;

function canLimit(): boolean {
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test.runIf(canLimit())(
  'P13 short of descriptors it refuses connections, lives on, and serves again when there are some',
  async () => {
    const upstream = await startFakeUpstream({ '*': words('fine') });
    const binary = await startBinary({
      OPENAI_BASE_URL: upstream.url,
      OPENAI_API_KEY: 'key-of-the-provider',
      BIG_MODEL: 'x',
      SMALL_MODEL: 'x',
    });
    onTestFinished(async () => {
      await binary.stop();
      await upstream.close();
    });
    const ask = () => call(`${binary.url}/v1/messages`, message('x'));
    expect((await ask()).status).toBe(200);
    execFileSync('prlimit', [`--pid=${binary.process.pid}`, `--nofile=${LIMIT}`]);
    const refused: Socket[] = [];
    const sockets = Array.from({ length: 2 * LIMIT }, () => connect(binary.port, '127.0.0.1'));
    for (const socket of sockets) {
      socket.on('error', () => {});
      socket.on('close', () => refused.push(socket));
      await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
    }
    await waitUntil('connections are refused', async () => refused.length > 0);
    expect(binary.process.exitCode).toBeNull();
    for (const socket of sockets) socket.destroy();
    await waitUntil('it serves again', async () => (await ask().catch(() => undefined))?.status === 200);
  },
);
