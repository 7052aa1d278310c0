import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSecret } from '../../../src/page/connection.ts';
import { readAddress, views, writeAddress } from '../../../src/page/viewAddress.ts';

test.each([
  ['', { view: 'now', choices: {} }],
  ['#usage', { view: 'usage', choices: {} }],
  ['#nothing', { view: 'now', choices: {} }],
  ['#constructor', { view: 'now', choices: {} }],
  ['#requests?status=failed&error=a+b%26c&model=', { view: 'requests', choices: { status: 'failed', error: 'a b&c' } }],
])('the fragment %j is %j', (fragment, address) => expect(readAddress(fragment)).toEqual(address));

test('what is written is read again, whatever the filters are', () => {
  const view = fc.constantFrom(...(Object.keys(views) as (keyof typeof views)[]));
  const choices = fc.dictionary(
    fc.string({ minLength: 1, unit: 'grapheme' }).filter((name) => name !== '__proto__'),
    fc.string({ minLength: 1, unit: 'grapheme' }),
  );
  fc.assert(
    fc.property(fc.record({ view, choices }), (address) => {
      expect(readAddress(writeAddress(address))).toEqual({ view: address.view, choices: { ...address.choices } });
    }),
  );
});

test('a choice that is empty is not in the address', () => {
  expect(writeAddress({ view: 'requests', choices: { model: '', status: 'failed' } })).toBe('#requests?status=failed');
});

test('no view is taken for the secret of a start, and the secret for no view', () => {
  for (const view of Object.keys(views)) expect(isSecret(`#${view}`)).toBe(false);
  expect(isSecret('#requests?session=0123456789abcdef0123456789')).toBe(false);
  expect(isSecret(`#${'a-Z_9'.repeat(9)}`)).toBe(true);
});
