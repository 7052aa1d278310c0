import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { boundConsoleFile } from '../../../src/telemetry/files.ts';
import { temporaryFolder } from '../../helpers/temporaryFolder.ts';

test('a console file above its limit is emptied, a small one is left alone, a missing one costs nothing', () => {
  const folder = temporaryFolder();
  const large = join(folder.path, 'large.log');
  const small = join(folder.path, 'small.log');
  writeFileSync(large, 'x'.repeat(1_000_001));
  writeFileSync(small, 'the reason of the last crash');
  for (const path of [large, small, join(folder.path, 'none.log')]) boundConsoleFile(path).close();
  expect(statSync(large).size).toBe(0);
  expect(readFileSync(small, 'utf8')).toBe('the reason of the last crash');
  folder.remove();
});
