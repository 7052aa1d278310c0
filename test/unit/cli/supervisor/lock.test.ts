import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LockOptions, withLock } from '../../../../src/cli/supervisor/lock.ts';

const module = resolve(import.meta.dirname, '../../../../src/cli/supervisor/lock.ts');
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lock-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const options = (changes: Partial<LockOptions> = {}): LockOptions => ({
  purpose: 'test',
  timeoutMs: 20_000,
  onWait: () => undefined,
  ...changes,
});

/** A process that holds the lock until it is killed. */
async function startHolder() {
  const code = `import { withLock } from ${JSON.stringify(module)};
    await withLock(${JSON.stringify(root)}, { purpose: 'start all', timeoutMs: 0, onWait() {} }, () => {
      console.log('held');
      return new Promise((resolve) => setTimeout(resolve, 60_000));
    });`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

test('P7 one at a time', async () => {
  let inside = 0;
  let most = 0;
  const work = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((done) => setImmediate(done));
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 5 }, () => withLock(root, options(), work)));
  expect(most).toBe(1);
});

test('whoever waits learns for whom, and gives up in the end', async () => {
  const holder = await startHolder();
  const reported: string[] = [];
  const waiting = withLock(root, options({ timeoutMs: 100, onWait: (who) => reported.push(who) }), async () => 'done');
  await expect(waiting).rejects.toThrow(`gave up waiting for "./manage start all" (pid ${holder.pid})`);
  expect(reported).toEqual([`"./manage start all" (pid ${holder.pid})`]);
  holder.kill('SIGKILL');
});

test('P6 a holder that was killed leaves nothing behind', async () => {
  const holder = await startHolder();
  const waiting = withLock(root, options({ onWait: () => holder.kill('SIGKILL') }), async () => 'done');
  expect(await waiting).toBe('done');
});

test('work that fails gives the lock back', async () => {
  await expect(withLock(root, options(), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await withLock(root, options({ timeoutMs: 0 }), async () => 'done')).toBe('done');
});
