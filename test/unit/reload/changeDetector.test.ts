import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChangeDetector } from '../../../src/reload/configReloader.ts';

/** What each look decides, `R` for reading. */
function decisions(looks: string): string {
  const detector = new ChangeDetector();
  return [...looks].map((signature) => (detector.look(signature) ? 'R' : '.')).join('');
}

test.each([
  ['files that lie still are read once', 'aaaaaa', '.R....'],
  ['a change is read at the second look that agrees', 'aabbbb', '.R.R..'],
  ['a file that is being written is left alone until it lies still', 'aabcdeee', '.R....R.'],
  ['one that is gone for a moment only is not read without need', 'aa-aaa', '.R....'],
  ['one that stays away is read as missing, and again when it is back', 'aa--aa', '.R.R.R'],
  ['a change that is taken back at once is no change', 'aabaa', '.R...'],
  ['a change that was read and is taken back is one', 'aabbaa', '.R.R.R'],
])('%s', (_what, looks, expected) => {
  expect(decisions(looks)).toBe(expected);
});

test('E2 whatever happens to the files, they are read as they are two looks after the last change, and never twice alike', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', '-')), fc.constantFrom('a', 'b', '-'), (looks, last) => {
      const detector = new ChangeDetector();
      const read = [...looks, last, last].filter((signature) => detector.look(signature));
      expect(read.at(-1)).toBe(last);
      expect(read.every((signature, index) => signature !== read[index - 1])).toBe(true);
      expect(detector.look(last)).toBe(false);
    }),
  );
});
