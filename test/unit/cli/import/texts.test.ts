import { describe, expect, test } from 'vitest';
import { withoutComments } from '../../../../src/cli/import/claudeCodeRouter.ts';
import { findValue, maskText, readAssignments, setLines } from '../../../../src/cli/import/envFile.ts';
import { readProxies } from '../../../../src/cli/import/scan.ts';

describe('the table PROXIES', () => {
  test('its entries with their lines, but for those that are commented out', () => {
    const script = [
      '#!/bin/bash',
      '"1:not:this"',
      'PROXIES=(',
      '    "8081:.env-kimi-k2:Kimi-K2"',
      '    # "8082:.env-glm:GLM"',
      "    '8083:.env mini:MiniMax M2'   # the third",
      ')',
      '"9:nor:this"',
    ].join('\n');
    expect(readProxies(script)).toEqual([
      { port: 8081, envFile: '.env-kimi-k2', name: 'Kimi-K2', line: 4 },
      { port: 8083, envFile: '.env mini', name: 'MiniMax M2', line: 6 },
    ]);
  });

  test('a table in one line, and none', () => {
    expect(readProxies('PROXIES=("8081:.env:One")')).toMatchObject([{ port: 8081, name: 'One', line: 1 }]);
    expect(readProxies('echo "8081:.env:One"')).toEqual([]);
  });
});

describe('lines of an env file', () => {
  const text = 'A="x # y" # z\n# B=1\nexport PORT=8081 # old\nPORT: 8082\n';

  test('are read as far as names and values of one line go', () => {
    expect(readAssignments(text)).toEqual([
      { key: 'A', value: 'x # y', line: 1 },
      { key: 'PORT', value: '8081', line: 3 },
      { key: 'PORT', value: '8082', line: 4 },
    ]);
    expect(findValue(readAssignments(text), 'PORT')).toBe('8082');
    expect(findValue(readAssignments('PORT=\n'), 'PORT')).toBeUndefined();
  });

  test('are set where the last of the names stands, else at the end', () => {
    const settings = [
      { keys: ['PORT'], line: 'PORT=1' },
      { keys: ['MODELS_FILE', 'CUSTOM_MODELS_FILE'], line: 'MODELS_FILE=m' },
    ];
    expect(setLines(text, settings)).toBe('A="x # y" # z\n# B=1\nexport PORT=8081 # old\nPORT=1\nMODELS_FILE=m\n');
    expect(setLines('CUSTOM_MODELS_FILE=x\nPORT=2', settings)).toBe('MODELS_FILE=m\nPORT=1\n');
  });
});

test('comments of JSON5 go, what looks like one inside a text stays, and so do the lines', () => {
  const text = '{ // one\n"url": "https://a//b", /* two\nthree */ "c": \'//d\' }';
  expect(withoutComments(text)).toBe('{       \n"url": "https://a//b",       \n         "c": \'//d\' }');
});

test.each([
  ['OPENAI_API_KEY="sk-aaaaaaaaaaaa1234" # mine', 'OPENAI_API_KEY="****1234" # mine'],
  ['export SOME_TOKEN=aaaaaaaaaaaa1234', 'export SOME_TOKEN=****1234'],
  ['# not carried over: ANTHROPIC_API_KEY=sk-aaaaaaaa1234', '# not carried over: ANTHROPIC_API_KEY=****1234'],
  ['A_KEY=short', 'A_KEY=****'],
  ['A_KEY=\nB=1', 'A_KEY=\nB=1'],
  ['A_KEY=${B_KEY}', 'A_KEY=${B_KEY}'],
  ['MAX_TOKENS_LIMIT=4096', 'MAX_TOKENS_LIMIT=4096'],
  ['MAX_TOKENS=8_192 # enough', 'MAX_TOKENS=8_192 # enough'],
  ['A_KEY= # sk-aaaaaaaaaaaa1234', 'A_KEY= ****1234'],
  [
    '  max_tokens: 128_000\n  input_cost_per_token: 0.0000006',
    '  max_tokens: 128_000\n  input_cost_per_token: 0.0000006',
  ],
  ['{"output_cost_per_token": 2.5e-6}', '{"output_cost_per_token": 2.5e-6}'],
  ['HTTPS_PROXY=http://user:pass@host:1', 'HTTPS_PROXY=http://****@host:1'],
  ['- api_key_name: MY_KEY', '- api_key_name: MY_KEY'],
  ['  api_key: aaaaaaaaaaaa1234', '  api_key: ****1234'],
  ['{"api_key":"aaaaaaaaaaaa1234","name":"x"}', '{"api_key":"****1234","name":"x"}'],
  ['"api_keys": [\n "aaaaaaaaaaaa1234",\n "${TWO}"\n]', '"api_keys": [\n "****1234",\n "${TWO}"\n]'],
  ['{"Authorization": "Bearer aaaaaaaa1234"}', '{"Authorization": "****1234"}'],
])('masked: %s', (text, masked) => {
  expect(maskText(text)).toBe(masked);
});
