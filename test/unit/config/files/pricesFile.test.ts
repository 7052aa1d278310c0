import { writeFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { formatProblems } from '../../../../src/config/diagnostics.ts';
import { readLines } from '../../../helpers/configText.ts';
import { temporaryFolder } from '../../../helpers/temporaryFolder.ts';

/** What an instance with this prices file is configured to. */
function read(text: string, line = 'PRICES_FILE=prices.json') {
  const { path: directory, remove } = temporaryFolder();
  onTestFinished(remove);
  writeFileSync(`${directory}/prices.json`, text);
  return readLines(['PROVIDER=demo', line], { directory });
}

test('prices of models, plain or as a list with the days from which they hold, in any order', () => {
  const text = JSON.stringify({
    'model-a': { input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5 },
    'model-b': [
      { input: 3, output: 12, from: '2026-11-01' },
      { input: 0, output: 0 },
    ],
  });
  const { config, problems } = read(text);
  expect(problems).toEqual([]);
  expect(config?.prices).toEqual(
    new Map([
      ['model-a', [{ input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5, from: '' }]],
      [
        'model-b',
        [
          { input: 0, output: 0, from: '' },
          { input: 3, output: 12, from: '2026-11-01' },
        ],
      ],
    ]),
  );
});

test('the same may be written as YAML', () => {
  const { config } = read(
    'model-a: {input: 2, output: 10}\nmodel-b:\n  - from: 2026-11-01\n    input: 1\n    output: 4\n',
  );
  expect(config?.prices.get('model-b')).toEqual([{ input: 1, output: 4, from: '2026-11-01' }]);
});

test('the suffix of Claude Code is no part of a model’s name', () => {
  expect([...(read('model-a[1m]: {input: 1, output: 4}').config?.prices.keys() ?? [])]).toEqual(['model-a']);
});

test('without the key there are none', () => {
  expect(read('{}', '').config?.prices.size).toBe(0);
});

test('other prices are another configuration', () => {
  const { path: directory, remove } = temporaryFolder();
  onTestFinished(remove);
  const hashWith = (text: string) => {
    writeFileSync(`${directory}/prices.json`, text);
    return readLines(['PROVIDER=demo', 'PRICES_FILE=prices.json'], { directory }).config?.hash;
  };
  const hash = hashWith('m: {input: 1, output: 1}');
  expect(hashWith('{"m": {"output": 1, "input": 1}}')).toBe(hash);
  expect(hashWith('m: {input: 1, output: 2}')).not.toBe(hash);
});

describe('what is wrong is reported with its place', () => {
  test.each([
    ['{\n"m": {"input": 1}}', 'prices.json:2  m.output  error: found no price'],
    ['{"m": {\n"input": "1",\n"output": 1}}', 'prices.json:2  m.input  error: found "1"'],
    ['{"m": {"input": 1, "output": -1}}', 'prices.json:1  m.output  error: found -1'],
    [
      'm:\n  input: 1\n  output: 1\n  cacheread: 1\n',
      'prices.json:4  m.cacheread  error: found a field that means nothing',
    ],
    ['m:\n- {input: 1, output: 1}\n- 5\n', 'prices.json:3  m[1]  error: found 5'],
    ['m: {input: 1, output: 1, from: 1.11.2026}', 'prices.json:1  m.from  error: found "1.11.2026"'],
    ['m: {input: 1, output: 1, from: 2026-13-01}', 'prices.json:1  m.from  error: found "2026-13-01"'],
    ['m: []', 'prices.json:1  m  error: found an empty list'],
    ['m: [{input: 1, output: 1}, {input: 2, output: 2}]', 'prices.json:1  m  error: found prices twice without "from"'],
    ['[]', 'prices.json  file  error: found no list of models'],
    ['{', 'prices.json:1  file  error: found text that is neither YAML nor JSON'],
  ])('%j', (text, expected) => {
    const { config, problems } = read(text);
    expect(config).toBeUndefined();
    expect(problems).toHaveLength(1);
    expect(formatProblems(problems)).toContain(expected);
  });

  test('a file that is not there', () => {
    const { problems } = read('', 'PRICES_FILE=other.json');
    expect(formatProblems(problems)).toContain(
      'envs/work.env:2  PRICES_FILE  error: found the file "other.json", which cannot be read (ENOENT)',
    );
  });
});
