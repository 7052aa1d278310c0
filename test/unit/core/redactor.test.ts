import { expect, test } from 'vitest';
import { createRedactor, Secret } from '../../../src/core/secret.ts';
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

test.each(['a-', 'a', '1a', 'Bearer ', 'sk-', 'a+', 'eyJ', '=', '. '])(
  'a text of many %j takes time in proportion to its length',
  (piece) => {
    const long = piece.repeat(40_000 / piece.length);
    // Sixteen times the length may take sixteen times as long; work by the square of the length would take 256 times.
    const ratio = bestCount(() => redact(long.slice(0, 2500))) / bestCount(() => redact(long));
    expect(ratio).toBeLessThan(80);
  },
);
