import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IncrementalJsonParser } from '../../../../src/protocol/json/incrementalParser.ts';

const LISTS: ReadonlySet<string> = new Set(['messages', 'tools']);
const FILLER = 'x'.repeat(600);

function memory(maxBytes = 1_000_000, minBytes = 0): IncrementalJsonParser {
  return new IncrementalJsonParser({ lists: LISTS, minBytes, maxBytes });
}

interface Body {
  model: string;
  system?: unknown;
  messages: unknown[];
}

const conversation = (messages: unknown[], system: unknown = FILLER): Body => ({ model: 'm', system, messages });
const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value));

/** JSON.parse's outcome: the value, or the fault's words. */
function outcome(read: () => unknown): unknown {
  try {
    return { value: read() };
  } catch (error) {
    return { fault: (error as Error).message };
  }
}

/** Keys that do not end in a backslash: see CONTRIBUTING on the runtime's fault with these. */
const jsonValue = fc.jsonValue({ maxDepth: 4 }).filter((value) => !/\\\\"\s*:/.test(JSON.stringify(value)));

describe('reading a body', () => {
  test.each([
    ['an empty object', '{}'],
    ['white space everywhere', ' \r\n{ "a" :\t1 , "messages" : [ 1 , "two" , { } ] }\n'],
    ['escapes', String.raw`{"a":"\"\\\"\\","b\u0041":"\ud83d\ude00","messages":["\\",{"x":"]}"}]}`],
    ['a string longer than a look at each byte', `{"a":"${'y'.repeat(300)}\\"${'\\\\'.repeat(80)}","b":2}`],
    ['an escape across the end of the short look', `{"a":"${'y'.repeat(62)}\\"z","b":2}`],
    ['a name twice', '{"a":1,"a":2}'],
    ['__proto__', '{"__proto__":{"x":1},"a":1}'],
    ['a byte order mark', '\ufeff{"a":1}'],
    ['numbers and words', '{"a":-1.5e3,"b":true,"c":null,"d":[0]}'],
    ['a list that is none', '{"messages":{"a":1},"tools":"x"}'],
    ['an array', '[1,2]'],
    ['a string', '"text"'],
  ])('gives what JSON.parse gives for %s', (_name, text) => {
    expect(memory().parse(Buffer.from(text))).toEqual(JSON.parse(text.replace('\ufeff', '')));
  });

  test('gives an own property for __proto__ and leaves the prototype alone', () => {
    const value = memory().parse(Buffer.from('{"__proto__":{"x":1}}')) as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(['__proto__']);
  });

  test.each([
    '',
    '{',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,}',
    '{"a":1}}',
    '{"a":1} x',
    '{"a":"unended}',
    '{"a":[1,]}',
    '{"messages":[1,]}',
    '{"messages":[1 2]}',
    '{"messages":[{]}',
    '{a:1}',
    '{"a":01}',
    '{"a":"tab\there"}',
  ])('refuses %j in the words of JSON.parse', (text) => {
    expect(outcome(() => memory().parse(Buffer.from(text)))).toEqual(outcome(() => JSON.parse(text)));
  });

  test('gives what JSON.parse gives for any JSON, written with or without white space', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), jsonValue),
        fc.constantFrom(0, 1, '\t'),
        (body, indent) => {
          const text = JSON.stringify(body, undefined, indent);
          expect(memory().parse(Buffer.from(text))).toEqual(JSON.parse(text));
        },
      ),
    );
  });

  test('agrees with JSON.parse on any damage, also when it knows the sound body', () => {
    const sound = bytesOf(
      conversation([
        { role: 'user', content: 'one "quoted" \\ text' },
        { role: 'assistant', content: [1, {}] },
      ]),
    );
    fc.assert(
      fc.property(
        fc.nat(sound.length - 1),
        fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', ' ', 'x', '0', '\u0000'),
        fc.boolean(),
        (at, character, inserts) => {
          const one = memory();
          one.parse(sound);
          const damaged = Buffer.concat([
            sound.subarray(0, at),
            Buffer.from(character),
            sound.subarray(inserts ? at : at + 1),
          ]);
          expect(outcome(() => one.parse(damaged))).toEqual(outcome(() => JSON.parse(damaged.toString())));
        },
      ),
    );
  });
});

describe('remembering a conversation', () => {
  const first = { role: 'user', content: 'first' };
  const second = { role: 'assistant', content: 'second' };

  test('gives the same objects for what has the same bytes', () => {
    const one = memory();
    const before = one.parse(bytesOf(conversation([first, second], [FILLER]))) as Body;
    const after = one.parse(
      bytesOf(conversation([first, second, { role: 'user', content: 'third' }], [FILLER])),
    ) as Body;
    expect(after.messages).toHaveLength(3);
    expect(after.messages[0]).toBe(before.messages[0]);
    expect(after.messages[1]).toBe(before.messages[1]);
    expect(after.system).toBe(before.system);
  });

  test('gives the parts behind a changed one again, too', () => {
    const one = memory();
    const before = one.parse(bytesOf(conversation([first, second]))) as Body;
    const after = one.parse(bytesOf(conversation([{ ...first, content: 'other' }, second]))) as Body;
    expect(after.messages[0]).toEqual({ role: 'user', content: 'other' });
    expect(after.messages[1]).toBe(before.messages[1]);
  });

  test('is not misled by a number that goes on', () => {
    const one = memory();
    const before = one.parse(bytesOf({ system: FILLER, max_tokens: 12, messages: [first] })) as Body;
    const after = one.parse(bytesOf({ system: FILLER, max_tokens: 123, messages: [first] })) as Body;
    expect(after).toMatchObject({ max_tokens: 123 });
    expect(after.messages[0]).toBe(before.messages[0]);
  });

  test('knows several conversations at a time', () => {
    const one = memory();
    const bodies = ['a', 'b', 'c'].map((letter) => bytesOf(conversation([first], letter.repeat(600))));
    const before = bodies.map((body) => (one.parse(body) as Body).messages[0]);
    const after = bodies.map((body) => (one.parse(body) as Body).messages[0]);
    for (const [index, message] of after.entries()) expect(message).toBe(before[index]);
  });

  test('forgets the one that was used least lately beyond its bound', () => {
    const bodies = ['a', 'b', 'c'].map((letter) => bytesOf(conversation([first], letter.repeat(600))));
    const one = memory((bodies[0]?.length ?? 0) * 2);
    const [a, b, c] = bodies.map((body) => one.parse(body) as Body);
    const again = bodies.toReversed().map((body) => (one.parse(body) as Body).messages[0]);
    expect(again[0]).toBe(c?.messages[0]);
    expect(again[1]).toBe(b?.messages[0]);
    expect(again[2]).not.toBe(a?.messages[0]);
  });

  test('forgets nothing for a body that is larger than its bound, or for small ones', () => {
    const one = memory(1000);
    const body = bytesOf(conversation([first]));
    const before = one.parse(body) as Body;
    one.parse(bytesOf(conversation([first], FILLER.repeat(2))));
    for (let count = 0; count < 20; count += 1) one.parse(bytesOf(conversation([], `${count}`)));
    expect((one.parse(body) as Body).messages[0]).toBe(before.messages[0]);
  });

  test('forgets by the number of values, too, as small ones take many times their bytes', () => {
    const dense = (name: string, count: number) => {
      const quarter = { x: Array(count / 4).fill({}) };
      return conversation(Array(4).fill(quarter), `${name}${FILLER}`);
    };
    const isKnown = (reader: IncrementalJsonParser, body: Body) => {
      const [first, second] = [1, 2].map(() => (reader.parse(bytesOf(body)) as Body).messages[0]);
      return first === second;
    };
    const reader = memory(10_000_000);
    const [one, two, three] = ['one', 'two', 'three'].map((name) => dense(name, 12_000));
    if (one === undefined || two === undefined || three === undefined) throw new Error('there are three');
    const first = (reader.parse(bytesOf(one)) as Body).messages[0];
    reader.parse(bytesOf(two));
    expect((reader.parse(bytesOf(one)) as Body).messages[0]).toBe(first);
    reader.parse(bytesOf(three));
    reader.parse(bytesOf(two));
    expect(isKnown(reader, dense('four', 24_000))).toBe(true);
    expect((reader.parse(bytesOf(one)) as Body).messages[0]).not.toBe(first);
    expect(isKnown(reader, dense('five', 36_000))).toBe(false);
  });

  test('reads any sequence of related bodies as JSON.parse does', () => {
    const message = fc.record({
      role: fc.constantFrom('user', 'assistant'),
      content: fc.oneof(fc.string(), jsonValue),
    });
    fc.assert(
      fc.property(fc.array(fc.array(message, { maxLength: 6 }), { minLength: 2, maxLength: 6 }), (conversations) => {
        const one = memory();
        for (const messages of conversations) {
          const text = JSON.stringify(conversation(messages));
          expect(one.parse(Buffer.from(text))).toEqual(JSON.parse(text));
        }
      }),
    );
  });

  test('pauses after each part that it had to parse, and at no other', () => {
    const one = memory();
    const pauses = (body: unknown) => [...one.parseInSteps(bytesOf(body))].length;
    expect(pauses(conversation([first, second]))).toBe(4);
    expect(pauses(conversation([first, second, first]))).toBe(1);
  });
});

test('a body that is too short is parsed whole, and is not remembered', () => {
  const bytes = bytesOf(conversation([{ role: 'user', content: 'hello' }]));
  const one = memory(1_000_000, bytes.length + 1);
  expect(one.parse(bytes)).toEqual(JSON.parse(bytes.toString()));
  expect(elementOf(one.parse(bytes))).not.toBe(elementOf(one.parse(bytes)));
  const other = memory(1_000_000, bytes.length);
  expect(elementOf(other.parse(bytes))).toBe(elementOf(other.parse(bytes)));
});

const elementOf = (value: unknown) => (value as Body).messages[0];
