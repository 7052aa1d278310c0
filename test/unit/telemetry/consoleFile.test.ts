import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { boundConsoleFile, protectConsoleFile } from '../../../src/telemetry/stateFiles.ts';
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

test('F2 what a link leads to is neither emptied nor given another mode', () => {
  const { path: folder, remove } = temporaryFolder();
  onTestFinished(remove);
  const foreign = join(folder, 'foreign');
  const link = join(folder, 'console.log');
  writeFileSync(foreign, 'x'.repeat(1_000_001));
  chmodSync(foreign, 0o644);
  symlinkSync(foreign, link);
  protectConsoleFile(link, undefined);
  boundConsoleFile(link).close();
  const { size, mode } = statSync(foreign);
  expect([size, mode & 0o777]).toEqual([1_000_001, 0o644]);
});

test('D3 the console file is its owner’s alone, and so is its folder where that is the instance’s own', () => {
  const { path: folder, remove } = temporaryFolder();
  onTestFinished(remove);
  const modeOf = (path: string) => statSync(path).mode & 0o777;
  for (const name of ['own', 'other']) {
    mkdirSync(join(folder, name), { mode: 0o755 });
    writeFileSync(join(folder, name, 'console.log'), 'x', { mode: 0o644 });
    protectConsoleFile(join(folder, name, 'console.log'), join(folder, 'own'));
    expect(modeOf(join(folder, name, 'console.log'))).toBe(0o600);
  }
  expect([modeOf(join(folder, 'own')), modeOf(join(folder, 'other'))]).toEqual([0o700, 0o755]);
  protectConsoleFile(join(folder, 'none'), undefined);
});
