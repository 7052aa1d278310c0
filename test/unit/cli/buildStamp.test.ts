import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type BuildStamp,
  dateStamp,
  hashSources,
  isBuilt,
  PLATFORM,
  readStamp,
  SOURCES,
  writeStamp,
} from '../../../src/cli/buildStamp.ts';
import { executablePath } from '../../../src/host/workers.ts';

let root = '';

function write(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function stampOf(sourceHash: string): BuildStamp {
  return { version: '1.2.3', platform: PLATFORM, sourceHash, builtAt: '2026-01-02T03:04:05.000Z' };
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'stamp-'));
  for (const source of SOURCES) write(source.includes('.') ? source : `${source}/file.ts`, 'one');
  mkdirSync(join(root, 'dist'));
});
afterEach(() => rmSync(root, { recursive: true }));

test('the hash is that of the content, whatever the dates', async () => {
  const before = await hashSources(root);
  utimesSync(join(root, 'src/file.ts'), 1, 1);
  expect(await hashSources(root)).toBe(before);
});

test.each<[string, () => void]>([
  ['a changed file', () => write('src/file.ts', 'two')],
  ['a new file in a folder', () => write('src/deep/new.ts', '')],
  ['a renamed file', () => renameSync(join(root, 'src/file.ts'), join(root, 'src/other.ts'))],
  ['a changed lock file', () => write('package-lock.json', 'two')],
  ['a changed build script', () => write('scripts/build/file.ts', 'two')],
])('the hash changes with %s', async (_name, change) => {
  const before = await hashSources(root);
  change();
  expect(await hashSources(root)).not.toBe(before);
});

test('the manager is no part of the executable', async () => {
  const before = await hashSources(root);
  write('src/cli/deep/manager.ts', '');
  expect(await hashSources(root)).toBe(before);
  write('src/client.ts', '');
  expect(await hashSources(root)).not.toBe(before);
});

test('a build is current only with its executable, on its platform, from its sources', async () => {
  expect(await isBuilt(root, 'abc')).toBe(false);
  await writeStamp(root, stampOf('abc'));
  expect(await isBuilt(root, 'abc')).toBe(false);
  writeFileSync(executablePath(root), '');
  expect(await isBuilt(root, 'abc')).toBe(true);
  expect(await isBuilt(root, 'def')).toBe(false);
  await writeStamp(root, { ...stampOf('abc'), platform: 'elsewhere-x64' });
  expect(await isBuilt(root, 'abc')).toBe(false);
});

test('the stamp is read as it was written, and bears the date it is given', async () => {
  await writeStamp(root, stampOf('abc'));
  await dateStamp(root, new Date(5000));
  expect(await readStamp(root)).toEqual(stampOf('abc'));
  expect(statSync(join(root, 'dist/build.json')).mtimeMs).toBe(5000);
});

test('no stamp or a damaged one reads as none', async () => {
  expect(await readStamp(root)).toBeUndefined();
  write('dist/build.json', '{');
  expect(await readStamp(root)).toBeUndefined();
});
