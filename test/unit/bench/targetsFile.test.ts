import { expect, test } from 'vitest';
import { fillPlaces } from '../../../bench/processes/target.ts';
import { parseTargets } from '../../../bench/processes/targetsFile.ts';

test('a target needs a name and a command; the rest has defaults', () => {
  const text = JSON.stringify({ targets: [{ name: 'other', command: ['other', '--port', '${PORT}'] }] });
  expect(parseTargets(text, 'targets.json')).toEqual([
    {
      name: 'other',
      command: ['other', '--port', '${PORT}'],
      environment: {},
      files: {},
      path: '/v1/messages',
      headers: {},
      skip: [],
    },
  ]);
});

test.each([
  ['{}', 'targets.json: {"targets": [...]} expected'],
  ['{"targets":[{"name":"a"}]}', 'targets.json: targets[0].command: a list of texts expected'],
  ['{"targets":[{"name":"","command":[]}]}', 'targets.json: targets[0].name: a text expected'],
  [
    '{"targets":[{"name":"a","command":["a"],"environment":{"A":1}}]}',
    'targets[0].environment: texts by name expected',
  ],
  ['{"targets":[7]}', 'targets.json: targets[0].name: a text expected'],
])('%s is refused with its place', (text, why) => {
  expect(() => parseTargets(text, 'targets.json')).toThrow(why);
});

test('places are filled in, and what is none stays', () => {
  const places = { PORT: '1', UPSTREAM: 'http://127.0.0.1:2', UPSTREAM_PORT: '2', WORK: '/w' };
  expect(fillPlaces('${WORK}/a ${UPSTREAM}/v1 ${PORT} ${UPSTREAM_PORT} ${HOME} $PORT', places)).toBe(
    '/w/a http://127.0.0.1:2/v1 1 2 ${HOME} $PORT',
  );
});
