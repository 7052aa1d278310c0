import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRedactor, Secret } from '../../../src/core/secret.ts';
import { sanitizeJsonLine, sanitizePlainLine } from '../../../src/telemetry/logger.ts';

const identity = (text: string): string => text;

test('G5 any text stays one line of the same JSON', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string({ unit: 'binary' })), (value) => {
      const line = sanitizeJsonLine(JSON.stringify(value), identity);
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
    }),
  );
});

test.each([
  ['an escaped quote behind a bearer token', 'header "Authorization: Bearer abcdef"'],
  ['a line end behind a bearer token', 'Bearer abcdef\nnext'],
  ['a backslash behind it', 'Bearer abcdef\\'],
])('G5 masking leaves valid JSON: %s', (_name, text) => {
  const line = sanitizeJsonLine(JSON.stringify({ text, nested: [{ text }], count: 1, none: null }), createRedactor([]));
  const value = JSON.parse(line);
  expect(line).not.toContain('abcdef');
  expect(value).toMatchObject({ count: 1, none: null });
  expect(value.nested[0].text).toBe(value.text);
});

test('G6 a key with characters that JSON escapes is masked, as a value and as a name', () => {
  const key = 'pass"word\\12';
  const redact = createRedactor([new Secret(key)]);
  expect(sanitizeJsonLine(JSON.stringify({ text: `key ${key} end`, [key]: 1 }), redact)).toBe(
    '{"text":"key **** end","****":1}',
  );
});

test('plain lines for a terminal cannot move its cursor or begin a new line', () => {
  expect(sanitizePlainLine('a\u001b[2Jb\r\nc\u009bd\u2028e', identity)).toBe(
    'a\\u001b[2Jb\\u000d\\u000ac\\u009bd\\u2028e',
  );
});

test('marks that turn the reading direction are escaped in lines of both kinds', () => {
  expect(sanitizeJsonLine('{"text":"a\u202eb"}', identity)).toBe('{"text":"a\\u202eb"}');
  expect(sanitizePlainLine('a\u2066b', identity)).toBe('a\\u2066b');
});
