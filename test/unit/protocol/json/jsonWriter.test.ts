import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.ts';
import { JsonWriter } from '../../../../src/protocol/json/jsonWriter.ts';

const writer = () => new JsonWriter(new Set(['tools', 'messages']));
const expected = (body: unknown) => Buffer.from(JSON.stringify(body));

describe('writing a body', () => {
  const long = 'é "quoted" \\ \u2028 \ud83d\ude00 \u0001'.repeat(40);

  test.each<[string, JsonObject]>([
    ['nothing', {}],
    ['what is undefined', { a: undefined, b: 1 }],
    ['empty lists and objects', { a: [], b: {}, tools: [] }],
    ['long texts', { content: long, list: [long, { text: long }] }],
    ['a lone surrogate in a long text', { content: `${long}\ud800` }],
    ['lasting elements of any kind', { tools: [{ a: long }, 'text', 1, null, [1], undefined as unknown as null] }],
    ['a list that is called like the lasting ones but is none', { tools: { a: 1 } }],
    ['names that need escapes', { 'a"b\\': 1, é: 2 }],
  ])('gives the bytes of JSON.stringify for %s', (_name, body) => {
    expect(writer().write(body)).toEqual(expected(body));
  });

  test('gives the bytes of JSON.stringify for any JSON, again and again', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 400 }));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        text,
        fc.double({ noNaN: true }),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
      ),
    }));
    const one = writer();
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('model', 'messages', 'tools'), value), (body) => {
        expect(one.write(body)).toEqual(expected(body));
        expect(one.write(body)).toEqual(expected(body));
      }),
    );
  });

  test('writes a lasting element once', () => {
    let written = 0;
    const tool = {
      get name() {
        written += 1;
        return 'tool';
      },
    };
    const one = writer();
    for (let turn = 0; turn < 3; turn += 1) one.write({ tools: [tool] });
    expect(written).toBe(1);
  });
});
