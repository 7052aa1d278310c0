import { describe, expect, test } from 'vitest';
import { skipString, skipValue } from '../../../../src/protocol/json/incrementalParser.ts';

const long = 'y'.repeat(100);

describe('the end of a string', () => {
  test.each([
    ['nothing', '""'],
    ['an escaped quote', String.raw`"a\"b"`],
    ['an escaped backslash', String.raw`"a\\"`],
    ['an escaped quote far behind', String.raw`"${long}\"b"`],
    ['an escaped backslash far behind', String.raw`"${long}\\"`],
    ['many of both', `"${'\\\\\\"'.repeat(40)}"`],
    ...Array.from({ length: 8 }, (_, index) => [`an escape at ${60 + index}`, `"${'y'.repeat(59 + index)}\\"z"`]),
  ])('is found behind %s', (_name, text) => {
    expect(skipString(Buffer.from(`${text},"next"`), 0)).toBe(text.length);
  });

  test.each(['"', '"abc', `"${long}`, String.raw`"abc\"`])('is missed in %s', (text) => {
    expect(skipString(Buffer.from(text), 0)).toBe(-1);
  });
});

describe('the end of a value', () => {
  test.each(['{}', '[]', '{"a":[1,{"b":"]}"}]}', '"}"', '12', 'true', 'null', '-1.5e3', String.raw`["\"]"]`])(
    'is found behind %s',
    (text) => {
      for (const next of [',1', '}', ']', ' ,']) expect(skipValue(Buffer.from(`${text}${next}`), 0)).toBe(text.length);
    },
  );

  test.each(['{', '[1,2', '{"a":"', '12'])('is missed in %s', (text) => {
    expect(skipValue(Buffer.from(text), 0)).toBe(-1);
  });
});
