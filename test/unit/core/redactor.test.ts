import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRedactor, redactBeginning, Secret } from '../../../src/core/secret.ts';
import { bestCount } from '../../helpers/bestCount.ts';

const redact = createRedactor([new Secret('our own "key" of ünusual form')]);

test.each([
  'Authorization: Bearer abc.def-ghi',
  'sk-proj-abcdefgh12345678',
  'AIzaSyA1234567890abcdefghijk',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  '0123456789abcdef0123456789abcdef01234567',
])('S2 %s is masked by its form', (text) => {
  expect(redact(`before ${text} after`)).toMatch(/^before .*\*\*\*\* after$/);
});

test.each([
  'our own "key" of ünusual form',
  JSON.stringify('our own "key" of ünusual form'),
  encodeURIComponent('our own "key" of ünusual form'),
  Buffer.from('our own "key" of ünusual form').toString('base64url'),
])('S2 a known secret is masked by its value: %s', (text) => {
  expect(redact(text)).toContain('****');
  expect(redact(text)).not.toMatch(/unusual|%C3%BCnusual|ünusual|dW51|w7xud/);
});

test.each([
  'accounts/fireworks/models/llama-v3p1-405b-instruct',
  'chatcmpl-0123456789abcdef0123456789abcdef',
  '/home/user1/projects/claude-code-proxy/envs/demo',
  'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz',
])('the name %s is left alone', (text) => {
  expect(redact(text)).toBe(text);
});

const KEY = 'Key/of.A-Provider+17';

test.each([
  ['in hex', Buffer.from(KEY).toString('hex')],
  ['in upper case hex', Buffer.from(KEY).toString('hex').toUpperCase()],
  ['in lower case', KEY.toLowerCase()],
  ['in upper case', KEY.toUpperCase()],
  ['reversed', [...KEY].reverse().join('')],
  ['with a letter escaped for a URL', KEY.replace('A', '%41')],
  ['with a letter escaped for JSON', KEY.replace('A', '\\u0041')],
  ['with each letter escaped', [...KEY].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join('')],
])('S2 a known secret is masked %s', (_how, form) => {
  expect(createRedactor([new Secret(KEY)])(`a ${form} b`)).toBe('a **** b');
});

test('S2 a short secret is masked as it is written alone', () => {
  expect(createRedactor([new Secret('ollama7')])('ollama7, Ollama7 and 7amallo')).toBe('****, Ollama7 and 7amallo');
});

test.each(['none', 'unused', 'dummy', 'EMPTY', 'ollama', 'placeholder', 'dummy-key'])(
  'the word %s in the place of a key is not masked in sentences',
  (word) => {
    expect(createRedactor([new Secret(word), new Secret(KEY)])(`client token ${word}, ${KEY}`)).toBe(
      `client token ${word}, ****`,
    );
  },
);

test.each(['a', 'a1', 'A+', 'eyJ0123456789-', 'sk-', 'Bearer ', 'AIza', '%41', '\\u0041', ' ', '='])(
  'S2 six million letters of %j do not overflow the stack, nor hide a key',
  (piece) => {
    const clean = createRedactor([new Secret(KEY)])(`${piece.repeat(6_000_000 / piece.length)} ${KEY} sk-abcdefgh1`);
    expect(clean.endsWith(' **** ****')).toBe(true);
  },
);

test('S2 each of many secrets is masked, whichever they are and wherever they stand', () => {
  const letters = fc.constantFrom(...'abcAB01_-.');
  const secret = fc.string({ unit: letters, minLength: 9, maxLength: 20 });
  fc.assert(
    fc.property(fc.uniqueArray(secret, { minLength: 1, maxLength: 40 }), fc.nat(), fc.string(), (values, at, rest) => {
      const redactAll = createRedactor(values.map((value) => new Secret(value)));
      const value = values[at % values.length] ?? '';
      const clean = redactAll(`${rest}${value}${rest}`);
      expect(clean).toContain('****');
      for (const one of values) expect(clean).not.toContain(one);
    }),
  );
});

test('S2 wherever a text is cut, no part of a key is left at its end', () => {
  const redactor = createRedactor([new Secret(KEY)]);
  const filler = fc.constantFrom('word '.repeat(3000), 'x'.repeat(9000), 'a1'.repeat(5000), 'Bearer '.repeat(1200));
  const cut = fc.oneof(fc.nat(9000), fc.integer({ min: 8150, max: 8200 }));
  fc.assert(
    fc.property(filler, cut, fc.integer({ min: 1, max: 9000 }), (words, at, length) => {
      const clean = redactBeginning(words.slice(0, at) + KEY + words.slice(at), length, redactor);
      expect(clean.length).toBeLessThanOrEqual(length);
      expect(clean).not.toContain(KEY.slice(0, 6));
    }),
  );
});

test('of a long text no more is read than its beginning needs', () => {
  let read = 0;
  const beginning = redactBeginning('a word '.repeat(1_000_000), 200, (text) => {
    read += text.length;
    return text;
  });
  expect(beginning).toHaveLength(200);
  expect(read).toBeLessThan(10_000);
});

test('the beginning of a short text is the whole text', () => {
  expect(redactBeginning('a word', 200, redact)).toBe('a word');
});

test.each(['a-', 'a', '1a', 'Bearer ', 'sk-', 'a+', 'eyJ', 'eyJ0123456789-', '%41', '=', '. '])(
  'a text of many %j takes time in proportion to its length',
  (piece) => {
    const long = piece.repeat(40_000 / piece.length);
    // Sixteen times the length may take sixteen times as long; work by the square of the length would take 256 times.
    const ratio = bestCount(() => redact(long.slice(0, 2500))) / bestCount(() => redact(long));
    expect(ratio).toBeLessThan(80);
  },
);
