import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withParentFolder } from '../../../src/telemetry/stateFiles.ts';
import { makeFolder } from '../../helpers/logFolder.ts';

test('a missing folder is made, with those above it', () => {
  const path = join(makeFolder(), 'a/b/file');
  expect(withParentFolder(path, () => writeFileSync(path, 'x'))).toBeUndefined();
  expect(existsSync(path)).toBe(true);
});

test('a folder that is there is not asked for: who may write a file need not be allowed to make its folder', () => {
  const denied = Object.assign(new Error('denied'), { code: 'ERR_ACCESS_DENIED' });
  expect(withParentFolder('/dev/null/nowhere/file', () => 'done')).toBe('done');
  expect(() =>
    withParentFolder('/dev/null/nowhere/file', () => {
      throw denied;
    }),
  ).toThrow(denied);
});
