import { EventEmitter, once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Watch, watchFiles } from '../../src/reload/configReloader.ts';
import { editWays } from '../helpers/editFile.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';

let folder: ReturnType<typeof temporaryFolder>;
let path: string;
let watch: Watch | undefined;
const changes = new EventEmitter();

beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder.path, 'test.env');
});
afterEach(() => {
  watch?.close();
  folder.remove();
});

/** Watches these files, and resolves when they have been read for the first time. */
async function watching(...files: string[]): Promise<void> {
  watch = watchFiles(
    () => files,
    () => changes.emit('change', files.map(readOrNothing)),
  );
  await once(changes, 'change');
}

function readOrNothing(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

const nextRead = async () => (await once(changes, 'change'))[0] as (string | undefined)[];

test.each(Object.keys(editWays))('E2 a file that is changed %s is seen, whole', async (way) => {
  writeFileSync(path, 'A=1\nB=1\nC=1\n');
  await watching(path);
  await editWays[way]?.(path, 'A=2\nB=2\nC=2\n');
  expect(await nextRead()).toEqual(['A=2\nB=2\nC=2\n']);
});

test('E2 a change of the same size under the same time of modification is seen', async () => {
  writeFileSync(path, 'A=1\n');
  const { atime, mtime } = statSync(path);
  await watching(path);
  writeFileSync(path, 'A=2\n');
  utimesSync(path, atime, mtime);
  expect(await nextRead()).toEqual(['A=2\n']);
});

test('files that come and go are seen', async () => {
  const other = join(folder.path, 'models.yaml');
  writeFileSync(path, 'A=1\n');
  await watching(path, other);
  writeFileSync(other, 'models: []\n');
  expect(await nextRead()).toEqual(['A=1\n', 'models: []\n']);
  rmSync(path);
  expect(await nextRead()).toEqual([undefined, 'models: []\n']);
});

test('a folder behind a link that is turned, as container platforms do it, is seen', async () => {
  for (const version of ['1', '2']) {
    mkdirSync(join(folder.path, `version-${version}`));
    writeFileSync(join(folder.path, `version-${version}`, 'test.env'), `A=${version}\n`);
  }
  const current = join(folder.path, 'current');
  symlinkSync('version-1', current);
  await watching(join(current, 'test.env'));
  symlinkSync('version-2', `${current}.new`);
  renameSync(`${current}.new`, current);
  expect(await nextRead()).toEqual(['A=2\n']);
});

test('a file whose rights change is seen', async () => {
  writeFileSync(path, 'A=1\n', { mode: 0o644 });
  await watching(path);
  chmodSync(path, 0o600);
  expect(await nextRead()).toEqual(['A=1\n']);
});
