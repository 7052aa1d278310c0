import { expect, test } from 'vitest';
import { ReloadableRedactor, Secret } from '../../../src/core/secret.ts';

const words = (count: number) =>
  Array.from({ length: count }, (_, index) => `word-${'abcdefghijklmnopqrstuvwxyz'[index]}`);

test('S2 the secrets of earlier configurations stay masked beside the new ones', () => {
  const redactor = new ReloadableRedactor([new Secret('old-word')]);
  redactor.addSecrets([new Secret('new-word')]);
  expect(redactor.redact('old-word and new-word and no word')).toBe('**** and **** and no word');
});

test('a process whose key changes for ever does not remember all of them', () => {
  const all = words(25);
  const redactor = new ReloadableRedactor([]);
  for (const word of all) redactor.addSecrets([new Secret(word)]);
  expect(all.filter((word) => redactor.redact(word) === word)).toEqual(all.slice(0, 5));
});
