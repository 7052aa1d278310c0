import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { describeConfig } from '../../../src/config/describe.ts';
import { formatProblems } from '../../../src/config/diagnostics.ts';
import { readLines } from '../../helpers/configText.ts';
import { temporaryFolder } from '../../helpers/temporaryFolder.ts';

const LINES = ['PROVIDER=demo', 'HOOKS_FILE=my/hooks.mjs'];

test('a hooks file is known by its absolute path and its text, is watched and shown', () => {
  const { path: directory, remove } = temporaryFolder();
  onTestFinished(remove);
  const read = (text: string) => {
    writeFileSync(join(directory, 'hooks.mjs'), text);
    return readLines(['PROVIDER=demo', 'HOOKS_FILE=hooks.mjs'], { directory });
  };
  const { config, files } = read('export function request() {}');
  const file = join(directory, 'hooks.mjs');
  expect(config?.hooks).toEqual({ file, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(files).toContain(file);
  expect(config && describeConfig(config)).toContain(`hooks file     ${file}`);

  expect(read('export function request() {}').config?.hash).toBe(config?.hash);
  expect(read('export function response() {}').config?.hash).not.toBe(config?.hash);
});

test('a file that cannot be read is an error with its line', () => {
  const { config, problems } = readLines(LINES);
  expect(config).toBeUndefined();
  expect(formatProblems(problems)).toMatch(
    /work\.env:2 {2}HOOKS_FILE {2}error: found the file "my\/hooks\.mjs", which/,
  );
});

test('without the key there are no hooks', () => {
  expect(readLines(['PROVIDER=demo']).config?.hooks).toBeUndefined();
  expect(readLines(['PROVIDER=demo', 'HOOKS_FILE=']).config?.hooks).toBeUndefined();
});
