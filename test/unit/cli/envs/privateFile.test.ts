import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPrivateFile } from '../../../../src/cli/envs/envFiles.ts';
import { temporaryFolder } from '../../../helpers/temporaryFolder.ts';

let folder: string;
let remove: () => void;
beforeEach(() => {
  ({ path: folder, remove } = temporaryFolder());
});
afterEach(() => remove());

test('a new file, and a folder that was missing, are for the owner only', () => {
  const file = join(folder, 'envs', 'work.env');
  createPrivateFile(file, 'envs/work.env', 'PORT=1\n');
  expect(readFileSync(file, 'utf8')).toBe('PORT=1\n');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, 'envs')).mode & 0o777).toBe(0o700);
});

test('a file that came in between is left as it is', () => {
  const file = join(folder, 'work.env');
  writeFileSync(file, 'mine');
  expect(() => createPrivateFile(file, 'envs/work.env', 'other')).toThrow('envs/work.env is there already');
  expect(readFileSync(file, 'utf8')).toBe('mine');
});

test('a link to nowhere is not followed', () => {
  const file = join(folder, 'work.env');
  symlinkSync(join(folder, 'elsewhere'), file);
  expect(() => createPrivateFile(file, 'envs/work.env', 'other')).toThrow('is there already');
  expect(existsSync(join(folder, 'elsewhere'))).toBe(false);
});
