import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ANSWER_VALUES_MAX, parseBounded, parseBoundedObject } from '../../../../src/protocol/bounds.ts';
import { hasTooManyValues, VALUES_MAX } from '../../../../src/protocol/json/valueCount.ts';

/** The result, and after how many pauses it came. */
function check(text: string): { isTooMany: boolean; pauses: number } {
  const steps = hasTooManyValues(Buffer.from(text), VALUES_MAX);
  for (let pauses = 0; ; pauses += 1) {
    const { done, value } = steps.next();
    if (done === true) return { isTooMany: value, pauses };
  }
}

const list = (item: string, count: number) => `[${Array(count).fill(item).join(',')}]`;

describe('a JSON text', () => {
  test.each([
    ['numbers', list('1', VALUES_MAX), list('1', VALUES_MAX + 2)],
    ['objects', list('{}', VALUES_MAX / 2), list('{}', VALUES_MAX / 2 + 1)],
    ['lists in lists', list('[[]]', Math.floor(VALUES_MAX / 3)), list('[[]]', Math.ceil(VALUES_MAX / 3))],
    ['fields', `{${list('"a":1', VALUES_MAX).slice(1, -1)}}`, `{${list('"a":1', VALUES_MAX + 2).slice(1, -1)}}`],
  ])('of too many %s is found, and no other', (_name, most, more) => {
    expect(check(most).isTooMany).toBe(false);
    expect(check(more).isTooMany).toBe(true);
  });

  test('may have as many commas and brackets within its texts as it likes', () => {
    expect(check(JSON.stringify(',[{'.repeat(200_000))).isTooMany).toBe(false);
    expect(check(JSON.stringify('",["'.repeat(200_000))).isTooMany).toBe(false);
    expect(check(`"${',[{'.repeat(200_000)}`).isTooMany).toBe(false);
  });

  test('that is long is looked at in stretches, and no further than needed', () => {
    expect(check(list(`"${'x'.repeat(1000)}"`, 10_000)).pauses).toBeGreaterThan(15);
    expect(check(list('{}', 5_000_000))).toEqual({ isTooMany: true, pauses: 0 });
  });
});

test('what a provider answers is not parsed when it holds too many values', () => {
  const text = `{"x":${list('{}', ANSWER_VALUES_MAX)}}`;
  for (const parse of [parseBounded, parseBoundedObject]) {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'bad_gateway' }));
  }
});

test('nor when it holds too many escaped letters', () => {
  const text = JSON.stringify({ x: '\n'.repeat(1_000_001) });
  expect(() => parseBounded(text)).toThrow('more than 1000000 escaped letters');
  expect(parseBounded(text.replace('\\n', ''))).toEqual({ x: '\n'.repeat(1_000_000) });
});

test('an object is parsed, anything else is none', () => {
  expect(parseBoundedObject('{"a":1}')).toEqual({ a: 1 });
  fc.assert(fc.property(fc.string(), (text) => parseBoundedObject(`x${text}`) === undefined));
  expect(parseBoundedObject('[1]')).toBeUndefined();
});
