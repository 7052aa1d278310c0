import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder, readLines } from '../helpers/logFolder.ts';

const MODULE = new URL('../../src/telemetry/log/rotatingLog.ts', import.meta.url).href;

/** Runs a program that has an open log in `log` and can `write(from, to)` numbered lines; returns its exit status. */
function runChild(directory: string, program: string): number | null {
  const script = `
    const { openRotatingLog } = await import(${JSON.stringify(MODULE)});
    const log = openRotatingLog({
      directory: ${JSON.stringify(directory)}, instance: 'kimi', worker: 1, maxSizeBytes: 100_000, retentionMs: 1e9, maxTotalBytes: 1e8,
      clock: { now: Date.now, monotonic: () => performance.now() },
    });
    const write = (from, to) => { for (let number = from; number < to; number++) log.write('line ' + number); };
    ${program}`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000 }).status;
}

const lines = (count: number): string[] => Array.from({ length: count }, (_, number) => `line ${number}`);

test.each([
  ['before the file is even open', 'write(0, 1000); process.exit(3)', 3],
  ['while lines wait', 'await log.flush(); write(0, 1000); process.exit(3)', 3],
  [
    'while a write is under way',
    'await log.flush(); write(0, 900); log.flush(); await null; write(900, 1000); process.exit(3)',
    3,
  ],
  [
    'at any later moment of a write',
    'await log.flush(); write(0, 900); log.flush(); setImmediate(() => { write(900, 1000); process.exit(3); }); await new Promise(() => {})',
    3,
  ],
  [
    'by an error that nobody caught',
    'await log.flush(); write(0, 1000); setTimeout(() => { throw new Error("crash"); }, 1); await new Promise((r) => setTimeout(r, 99))',
    1,
  ],
  ['by running out of work', 'write(0, 1000);', 0],
])('a process that ends %s keeps each line once', (_name, program, status) => {
  const directory = join(makeFolder(), 'kimi');
  expect(runChild(directory, program)).toBe(status);
  expect(readLines(directory)).toEqual(lines(1000));
});

test('an exit in the midst of rotations keeps each line once', () => {
  for (const turns of [1, 3, 6, 10]) {
    const directory = join(makeFolder(), 'kimi');
    const program = `await log.flush(); write(0, 30000); log.flush();
      for (let turn = 0; turn < ${turns}; turn++) await new Promise(setImmediate);
      process.exit(3)`;
    expect(runChild(directory, program)).toBe(3);
    expect(readLines(directory)).toEqual(lines(30000));
  }
});
