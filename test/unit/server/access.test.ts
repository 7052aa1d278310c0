import * as crypto from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { Secret } from '../../../src/core/secret.ts';
import { createAuthenticator } from '../../../src/server/access.ts';

vi.mock('node:crypto', async (importOriginal) => {
  const original = await importOriginal<typeof crypto>();
  return { ...original, timingSafeEqual: vi.fn(original.timingSafeEqual) };
});

const TOKEN = 'token-of-this-instance-0123456789';

test.each([
  ['the token', TOKEN],
  ['a wrong one of the same length', TOKEN.replaceAll('0', '1')],
  ['one letter', 't'],
  ['a very long one', TOKEN.repeat(100)],
])('A3 %s is compared by hashes of equal length, in constant time', (_name, credential) => {
  const compare = vi.mocked(crypto.timingSafeEqual);
  const { check } = createAuthenticator(new Secret(TOKEN));
  for (const headers of [{ 'x-api-key': credential }, { authorization: `Bearer ${credential}` }]) {
    compare.mockClear();
    if (credential === TOKEN) check(headers);
    else expect(() => check(headers)).toThrow();
    expect(compare).toHaveBeenCalledTimes(1);
    const [left, right] = compare.mock.calls[0] ?? [];
    expect([left?.byteLength, right?.byteLength]).toEqual([32, 32]);
  }
});
