import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStateFile } from '../../../src/telemetry/stateFiles.ts';
import { temporaryFolder } from '../../helpers/temporaryFolder.ts';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

function counter() {
  let count: unknown;
  return {
    set: (value: unknown) => {
      count = value;
    },
    get: () => count,
    snapshot: () => ({ count }),
    restore: (snapshot: unknown) => {
      count = (snapshot as { count: unknown }).count;
    },
  };
}

test('R502 what was learned comes back after a restart, in a folder that did not exist', () => {
  const path = join(folder.path, 'new', 'state.json');
  const first = counter();
  const file = openStateFile(path, first);
  first.set(7);
  file.close();
  expect(readdirSync(join(folder.path, 'new'))).toEqual(['state.json']);
  const second = counter();
  openStateFile(path, second).close();
  expect(second.get()).toBe(7);
});

test.each(['', '{"count":', 'null'])('a broken file %j is as good as none, and is replaced', (text) => {
  const path = join(folder.path, 'state.json');
  writeFileSync(path, text);
  const state = counter();
  const file = openStateFile(path, state);
  expect(state.get()).toBeUndefined();
  state.set(1);
  file.close();
  expect(readFileSync(path, 'utf8')).toBe('{"count":1}');
});

test('a folder that cannot be made costs nothing', () => {
  const state = counter();
  expect(() => openStateFile('/dev/null/state.json', state).close()).not.toThrow();
});
