import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isExactNumber, parseExact } from '../../../src/core/json.ts';
import { IncrementalJsonParser } from '../../../src/protocol/json/incrementalParser.ts';

describe('whole numbers beyond 2^53', () => {
  test.each([
    '12345678901234567890',
    '{"id":9223372036854775807}',
    '{"ids":[-9007199254740993,1,18446744073709551615]}',
    '{"a":{"maximum": 9223372036854775807 ,"text":"id: 12345678901234567890"}}',
    '[{"deep":[[10000000000000000000000000]]}]',
  ])('keep their digits: %s', (text) => {
    expect(JSON.stringify(parseExact(text))).toBe(text.replaceAll(/ (?=\d{19} ,)| (?=,)/g, ''));
  });

  test('any of them does, wherever it stands', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), fc.jsonValue(), (number, value) => {
        const text = `{"value":${JSON.stringify(value)},"list":[${number}],"number":${number}}`;
        expect(JSON.stringify(parseExact(text))).toBe(text);
      }),
    );
  });

  test.each([
    '0',
    '-1',
    '9007199254740991',
    '9007199254740992',
    '1.5',
    '1e5',
    '"12345678901234567890"',
    '{"a":1732900000000}',
    'null',
  ])('all else is what JSON.parse gives: %s', (text) => {
    expect(parseExact(text)).toEqual(JSON.parse(text));
    expect(isExactNumber(parseExact(text))).toBe(false);
  });

  test('a body that is read piece by piece keeps them, too', () => {
    const parser = new IncrementalJsonParser({ lists: new Set(['messages']), minBytes: 10, maxBytes: 100_000 });
    const text = '{"model":"m","seed":12345678901234567890,"messages":[{"id":9223372036854775807},{"id":2}]}';
    for (const body of [text, text]) expect(JSON.stringify(parser.parse(Buffer.from(body)))).toBe(body);
  });
});
