import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { holdName } from '../../src/host/workers.ts';
import { call } from '../helpers/startApp.ts';
import { type Binary, freePort, spawnBinary } from '../helpers/startBinary.ts';

/** Resolves with what becomes of a process: it listens, or its exit status. */
function outcome({ process, output, exited }: Binary): Promise<'listens' | number | null> {
  return new Promise((resolve) => {
    const look = () => output().includes('listening on') && resolve('listens');
    process.stdout?.on('data', look);
    exited.then(resolve);
    look();
  });
}

async function spawn(port: number, name: string, words: readonly string[] = ['--share']): Promise<Binary> {
  const binary = await spawnBinary({ PORT: String(port), PROVIDER: 'demo' }, name, words);
  onTestFinished(() => binary.stop());
  return binary;
}

test.runIf(process.platform === 'linux')(
  'P10 of several instances that share their port, started at once on the same one, one serves and the others are refused',
  async () => {
    for (let round = 0; round < 3; round += 1) {
      const port = await freePort();
      const all = await Promise.all(['one', 'two', 'three', 'four'].map((name) => spawn(port, name)));
      const outcomes = await Promise.all(all.map(outcome));
      expect(outcomes.filter((one) => one === 'listens')).toHaveLength(1);
      expect(outcomes.filter((one) => one === 78)).toHaveLength(3);
      const holder = all[outcomes.indexOf('listens')];
      for (const binary of all) {
        if (binary !== holder) expect(binary.output()).toContain(`port ${port} is taken`);
        await binary.stop();
      }
    }
  },
);

test('P10 an instance that runs is not joined by another of the same name, and says so to the other', async () => {
  const port = await freePort();
  const first = await spawn(port, 'twin');
  expect(await outcome(first)).toBe('listens');
  const second = await spawn(port, 'twin'); // the same name in another folder
  expect(await outcome(second)).toBe(78);
  expect(second.output()).toContain(`(pid ${first.process.pid})`);
  const health = JSON.parse((await call(`${first.url}/health`)).text);
  expect(health.pid).toBe(first.process.pid);
});

test.runIf(process.platform === 'linux')('P10 a stranger who shares the port is noticed, too', async () => {
  const stranger = createServer();
  const port = await freePort();
  await new Promise<void>((listening) => stranger.listen({ host: '127.0.0.1', port, reusePort: true }, listening));
  onTestFinished(() => void stranger.close());
  expect(await outcome(await spawn(port, 'late'))).toBe(78);
});

test('P10 without --share nobody is let in, and nobody is joined', async () => {
  const port = await freePort();
  const first = await spawn(port, 'alone', []);
  expect(await outcome(first)).toBe('listens');
  expect(await outcome(await spawn(port, 'other'))).toBe(78);
});

test.runIf(process.platform === 'linux')(
  'P10 who holds the name by which instances take turns keeps an instance from the port, and not for good',
  async () => {
    const port = await freePort();
    const squatter = await holdName(`port/${port}`, () => '');
    const kept = await spawn(port, 'kept');
    // PM2 repeats all but 78.
    expect(await outcome(kept)).toBe(1);
    expect(kept.output()).toContain(`find it with: ss -xlp | grep claude-code-proxy/port/${port}`);
    squatter?.release();
    expect(await outcome(await spawn(port, 'kept'))).toBe('listens');
  },
);
