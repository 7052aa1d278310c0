import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApiError } from '../../../../src/core/errors.ts';
import { ANSWER_VALUES_MAX, parseBounded, parseBoundedObject } from '../../../../src/protocol/bounds.ts';
import {
  hasTooManyValues,
  IncrementalJsonParser,
  VALUES_MAX,
} from '../../../../src/protocol/json/incrementalParser.ts';

const isTooMany = (text: string) => hasTooManyValues(Buffer.from(text), VALUES_MAX);

/** The code of the error with which the reader of bodies refuses a text; undefined when it reads it. */
function refusal(text: string): string | undefined {
  const parser = new IncrementalJsonParser({ lists: new Set(['messages']), minBytes: 16, maxBytes: 1024 * 1024 });
  try {
    parser.parse(Buffer.from(text));
    return undefined;
  } catch (error) {
    return error instanceof ApiError ? error.code : 'not JSON';
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
    expect(isTooMany(most)).toBe(false);
    expect(isTooMany(more)).toBe(true);
  });

  test('may have as many commas and brackets within its texts as it likes', () => {
    expect(isTooMany(JSON.stringify(',[{'.repeat(200_000)))).toBe(false);
    expect(isTooMany(JSON.stringify('",["'.repeat(200_000)))).toBe(false);
    expect(isTooMany(`"${',[{'.repeat(200_000)}`)).toBe(false);
  });

  test.each([
    ['a field', (items: string) => `{"other":${items}}`],
    ['a list that grows', (items: string) => `{"messages":${items}}`],
    [
      'many fields',
      (items: string) =>
        `{"other":${items.slice(0, items.length / 2)}{}],"more":${items.slice(0, items.length / 2)}{}]}`,
    ],
    ['a list', (items: string) => items],
    ['what does not end', (items: string) => `{"other":${items},"x`],
    ['what is not JSON after them', (items: string) => `{"other":${items},x}`],
  ])('of too many values in %s is not parsed', (_name, around) => {
    expect(refusal(around(list('{}', 5_000_000)))).toBe('request_too_large');
    expect(refusal(around(list('{}', VALUES_MAX / 2 + 2)))).toBe('request_too_large');
    expect(refusal(around(list('1', 1000)))).not.toBe('request_too_large');
  });

  test('of too many values is refused for them, also where it is larger than what is parsed in one piece', () => {
    expect(refusal(`{"other":${list('{}', 12_000_000)}}`)).toBe('request_too_large');
  });

  test('counts what an earlier body had, too', () => {
    const parser = new IncrementalJsonParser({ lists: new Set(['messages']), minBytes: 16, maxBytes: 1024 * 1024 });
    // Each field is as large as it may be by itself, and the earlier body is small enough to be kept.
    const fields = (count: number) => Array.from({ length: count }, (_, index) => `"${index}":${list('{}', 20_000)}`);
    const body = (count: number) => Buffer.from(`{"x":"${'y'.repeat(1000)}",${fields(count).join(',')}}`);
    parser.parse(body(1));
    parser.parse(body(6));
    expect(() => parser.parse(body(7))).toThrow(expect.objectContaining({ code: 'request_too_large' }));
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
