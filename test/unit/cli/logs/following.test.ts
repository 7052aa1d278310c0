import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { openLog } from '../../../../src/cli/logs/logFiles.ts';
import { LogFollower } from '../../../../src/cli/logs/logFollower.ts';
import { makeFolder, openTestLog, until } from '../../../helpers/logFolder.ts';
import { compress, rotatedPath } from './sampleLog.ts';

/** What happens between the listing of a folder and the look at its files. */
const onListed = vi.hoisted(() => ({ run: () => {} }));
vi.mock('node:fs/promises', async (loadActual) => {
  const actual = await loadActual<typeof import('node:fs/promises')>();
  const readdir = async (folder: string) => {
    const names = await actual.readdir(folder);
    onListed.run();
    return names;
  };
  return { ...actual, readdir };
});

let directory: string;
let active: string;
beforeEach(() => {
  onListed.run = () => {};
  directory = makeFolder();
  active = join(directory, 'kimi.log');
});

async function follow(): Promise<LogFollower> {
  const follower = new LogFollower(await openLog(directory, 'kimi'));
  onTestFinished(() => follower.close());
  return follower;
}

let rotations = 0;
function rotate(): void {
  rotations += 1;
  renameSync(active, rotatedPath(directory, rotations % 60));
}

test('begins where the past has ended, in the middle of a line if need be', async () => {
  writeFileSync(active, 'old\nhalf a');
  const follower = await follow();
  expect(await follower.read()).toEqual([]);
  appendFileSync(active, ' line\nnext\nha');
  expect(await follower.read()).toEqual(['half a line', 'next']);
});

test('waits for a file that is not there yet, and joins the pieces of a letter', async () => {
  const follower = await follow();
  expect(await follower.read()).toEqual([]);
  const bytes = Buffer.from('月\n');
  writeFileSync(active, bytes.subarray(0, 1));
  expect(await follower.read()).toEqual([]);
  appendFileSync(active, bytes.subarray(1));
  expect(await follower.read()).toEqual(['月']);
});

test('begins anew in a file that was emptied, or that has taken the place of a removed one', async () => {
  writeFileSync(active, 'one long line\n');
  const follower = await follow();
  writeFileSync(active, 'two\n');
  expect(await follower.read()).toEqual(['two']);
  rmSync(active);
  expect(await follower.read()).toEqual([]);
  writeFileSync(`${active}.new`, 'three\n');
  renameSync(`${active}.new`, active);
  expect(await follower.read()).toEqual(['three']);
});

test('any number of rotations between two looks: no line is lost, none comes twice', async () => {
  const step = fc.constantFrom('write', 'write', 'rotate', 'rotate and compress', 'look') as fc.Arbitrary<string>;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, hasPast) => {
      directory = makeFolder();
      active = join(directory, 'kimi.log');
      rotations = 0;
      if (hasPast) writeFileSync(active, 'past\n');
      const follower = new LogFollower(await openLog(directory, 'kimi'));
      const written: string[] = [];
      const seen: string[] = [];
      let isThere = hasPast;
      for (const what of steps) {
        if (what === 'look') seen.push(...(await follower.read()));
        else if (what === 'write') {
          isThere = true;
          written.push(`line ${written.length}`);
          appendFileSync(active, `${written.at(-1)}\n`);
        } else if (isThere) {
          isThere = false;
          rotate();
          if (what.endsWith('compress')) compress(rotatedPath(directory, rotations % 60));
        }
      }
      // A file in place of the one that was rotated last is what ends it.
      if (!isThere) writeFileSync(active, '');
      seen.push(...(await follower.read()));
      await follower.close();
      expect(seen).toEqual(written);
    }),
    { numRuns: 200 },
  );
});

test.each([0, 1, 2].flatMap((read) => [0, 1, 2].map((listing) => ({ read, listing }))))(
  'an older file that is compressed in read $read, listing $listing of the folder: no line comes twice',
  async (moment) => {
    writeFileSync(active, 'past\n');
    rotate();
    const past = rotatedPath(directory, rotations % 60);
    writeFileSync(active, '');
    const follower = await follow();
    const seen: string[] = [];
    for (const read of [0, 1, 2, 3]) {
      appendFileSync(active, `line ${read}\n`);
      rotate();
      writeFileSync(active, '');
      let listing = 0;
      onListed.run = () => {
        if (read === moment.read && listing === moment.listing) compress(past);
        listing += 1;
      };
      seen.push(...(await follower.read()));
    }
    expect(seen).toEqual(['line 0', 'line 1', 'line 2', 'line 3']);
  },
);

test('the log of an instance, rotated every few lines and compressed at the same time', async () => {
  const log = openTestLog({ directory, maxSizeBytes: 2000 });
  const follower = await follow();
  const seen: string[] = [];
  const count = 2000;
  for (let number = 0; number < count; number++) {
    log.write(`{"line":${number},"filling":"${'x'.repeat(40)}"}`);
    if (number % 50 === 0) seen.push(...(await follower.read()));
  }
  await log.flush();
  await until(() => log.status().written === count, 'all lines are written');
  seen.push(...(await follower.read()));
  expect(seen.map((line) => JSON.parse(line).line)).toEqual(Array.from({ length: count }, (_line, number) => number));
});
