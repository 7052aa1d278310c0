import { expect, test } from 'vitest';
import { repairArguments } from '../../../../src/translate/response/toolArguments.ts';

test.each<[string, string, unknown]>([
  ['nothing', '', {}],
  ['blanks', ' \n', {}],
  ['null', 'null', {}],
  ['single quotes around nothing', "''", {}],
  ['an object', ' {"a": 1} ', { a: 1 }],
  ['a code fence', '```json\n{"a":1}\n```', { a: 1 }],
  ['a fence without a language', '```\n{"a":1}```', { a: 1 }],
  ['a fence around two objects', '```json\n{}{"a":1}\n```', { a: 1 }],
  ['a JSON string', '"{\\"a\\":1}"', { a: 1 }],
  ['a JSON string twice', JSON.stringify(JSON.stringify('{"a":1}')), { a: 1 }],
  ['a fence around a string around an object', '```json\n"{\\"a\\":1}"\n```', { a: 1 }],
  ['a list with one object', '[{"a":1}]', { a: 1 }],
  ['an empty object in front', '{} {"a":1}', { a: 1 }],
  ['words after the object', '{"a":1}\n\nHope this helps', { a: 1 }],
  ['a second object', '{"a":1}{"b":2}', { a: 1 }],
  ['trailing commas', '{"a":[1,],}', { a: [1] }],
  ['single quotes', "{'a': 'b'}", { a: 'b' }],
  ['missing brackets', '{"a":{"b":"c"', { a: { b: 'c' } }],
  ['missing brackets behind a list', "{'a':[{'b':true}", { a: [{ b: true }] }],
  ['missing brackets behind a word', '{"a":false', { a: false }],
  ['a comment', '/* x */ {"a":1}', { a: 1 }],
])('R207 repairs %s', (_name, text, expected) => {
  expect(JSON.parse(repairArguments(text) ?? 'undefined')).toEqual(expected);
});

test.each(['just words', 'path=/a, mode=fast', '[1,2]', '[{"a":1},{"b":2}]', '5', '"words"', 'true', '<args/>'])(
  'R207 leaves %s alone',
  (text) => {
    expect(repairArguments(text)).toBeUndefined();
  },
);

test.each([
  '{"command":"rm -rf /srv/tmp /srv/ap',
  '{"command":"rm -rf /srv/tmp \\"/srv/a b\\"',
  "{'command': 'rm -rf /srv/ap",
  '{command: rm -rf /srv/ap',
  '{"path":"a","content":"if (x) { y(); }',
  '{"path":"a","content',
  '{"path":"a","content"',
  '{"path":"a","content":',
  '{"path":"a",',
  '{"offset":12',
  '{"list":["a","b',
  '{"list":["a",',
  '{"flag":tru',
  '{',
  '"{\\"command\\":\\"rm -rf /srv',
  '```json\n{"command":"rm -rf /srv',
  '[{"command":"rm -rf /srv',
  '{}{"command":"rm -rf /srv',
  '{“command”: “rm -rf /srv',
])('R207 never completes what breaks off: %s', (text) => {
  expect(repairArguments(text)).toBeUndefined();
});

test('what is longer than any model writes is not repaired, unless it is JSON', () => {
  const long = `{"a":"${'x'.repeat(500_000)}"`;
  expect(repairArguments(`${long}}`)).toBe(`${long}}`);
  expect(repairArguments(`${long},}`)).toBeUndefined();
  expect(repairArguments('{"a":"x",}')).toBe('{"a":"x"}');
});
