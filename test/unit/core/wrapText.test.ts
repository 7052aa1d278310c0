import fc from 'fast-check';
import { expect, test } from 'vitest';
import { displayWidth, wrapText } from '../../../src/core/text.ts';

test('a text is broken between words, and a long word where the line ends', () => {
  expect(wrapText('one two three', 8)).toEqual(['one two', 'three']);
  expect(wrapText('a verylongword b', 6)).toEqual(['a', 'verylo', 'ngword', 'b']);
  expect(wrapText('', 10)).toEqual(['']);
});

test('no line is too wide, and no letter is lost', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'ü', '字'), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), fc.integer({ min: 2, max: 40 }), (words, width) => {
      const lines = wrapText(words.join(' '), width);
      expect(lines.join('').replaceAll(' ', '')).toBe(words.join(''));
      for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
    }),
  );
});
