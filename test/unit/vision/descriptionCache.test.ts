import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { DescriptionCache, type DescriptionCacheOptions } from '../../../src/vision/descriptionCache.ts';
import { temporaryFolder } from '../../helpers/temporaryFolder.ts';

const warnings: string[] = [];

async function openCache(path: string, options: Partial<DescriptionCacheOptions> = {}): Promise<DescriptionCache> {
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const logger = { warn: (message: string) => void warnings.push(message) };
  const cache = new DescriptionCache({ path, clock, logger, ...options });
  await cache.open();
  onTestFinished(() => cache.close());
  return cache;
}

function fileName(): string {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  warnings.length = 0;
  return join(path, 'state', 'work.vision.sqlite');
}

const description = (text: string) => ({ text, model: 'eyes' });

test('what was described is there after a restart, and for another process; the first words count', async () => {
  const path = fileName();
  const cache = await openCache(path);
  expect(cache.get('a')).toBeUndefined();
  expect(cache.add('a', description('first'))).toEqual(description('first'));
  const other = await openCache(path);
  expect(other.add('a', description('second'))).toEqual(description('first'));
  cache.close();
  other.close();
  expect((await openCache(path)).get('a')).toEqual(description('first'));
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('the file is bounded by entries and by letters: what was not used for longest goes', async () => {
  const path = fileName();
  let now = 1_000_000_000_000;
  const clock = { now: () => now, monotonic: () => 0 };
  const cache = await openCache(path, { bounds: { entries: 10, letters: 1000 }, clock });
  for (let index = 0; index < 10; index += 1) {
    now += 24 * 3_600_000;
    cache.add(`k${index}`, description('x'));
  }
  now += 24 * 3_600_000;
  cache.get('k0');
  cache.add('k10', description('x'));
  cache.close();
  const reopened = await openCache(path, { bounds: { entries: 10, letters: 1000 }, clock });
  expect(reopened.get('k0')).toBeDefined();
  expect(reopened.get('k1')).toBeUndefined();
  expect(reopened.get('k10')).toBeDefined();
  for (let index = 0; index < 5; index += 1) {
    now += 1000;
    reopened.add(`l${index}`, description('y'.repeat(400)));
  }
  reopened.close();
  const last = await openCache(path, { clock });
  expect(['l0', 'l3', 'l4'].map((key) => last.get(key) !== undefined)).toEqual([false, true, true]);
});

test('a broken file is moved aside, and a new one begun', async () => {
  const path = fileName();
  const cache = await openCache(path);
  cache.add('a', description('first'));
  cache.close();
  writeFileSync(path, 'this is no database'.repeat(1000));
  const next = await openCache(path);
  expect(next.get('a')).toBeUndefined();
  next.add('b', description('second'));
  next.close();
  expect(readdirSync(join(path, '..')).some((name) => name.includes('.broken-'))).toBe(true);
  expect((await openCache(path)).get('b')).toEqual(description('second'));
  expect(warnings).toEqual(['the file of descriptions of pictures was broken; a new one is begun']);
});

test('without a disk the words of a conversation stay in memory, and that is said once', async () => {
  const path = fileName();
  writeFileSync(join(path, '..', '..', 'state'), 'a file where the folder should be');
  const cache = await openCache(path);
  cache.add('a', description('first'));
  cache.add('b', description('second'));
  expect(cache.get('a')).toEqual(description('first'));
  expect(existsSync(path)).toBe(false);
  expect(warnings).toEqual(['descriptions of pictures cannot be kept on the disk for now; requests go on']);
  chmodSync(join(path, '..', '..', 'state'), 0o600);
});
