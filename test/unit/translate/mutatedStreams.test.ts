import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RUNS, TIME_LIMIT } from '../../helpers/arbitraryStream.ts';
import { checkEvents } from '../../helpers/eventGrammar.ts';
import { foldEvents } from '../../helpers/fold.ts';
import { readGoldenCases } from '../../helpers/goldenCase.ts';
import { runTranslator } from '../../helpers/runTranslator.ts';

/** What providers really send, spoilt: bytes lost, doubled, swapped or put in between. */
const cases = readGoldenCases(join(import.meta.dirname, '../../golden/stream'), 'expected.txt');

const GARBAGE: readonly Uint8Array[] = [
  '\0',
  '\r',
  '\n',
  '\r\n',
  '\n\n',
  '\ufeff',
  'data:',
  'data: [DONE]\n\n',
  ': comment\n',
  'event: error\n',
  '{',
  '}',
  '"',
  '\\',
  '\\ud800',
  '"index":7,',
  '"usage":null,',
  '"finish_reason":"stop"',
  '"content":[',
  '"tool_calls":[{}],',
  '<think>',
  'x'.repeat(20_000),
]
  .map((text) => Buffer.from(text))
  .concat([Buffer.of(0xff), Buffer.of(0xc3), Buffer.of(0xf0, 0x9f), Buffer.of(0x80)]);

const mutation = fc.record({
  /** Where, as a share of the length. */
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  kind: fc.constantFrom('insert', 'insert', 'remove', 'double', 'flip', 'cut', 'join'),
  length: fc.integer({ min: 1, max: 400 }),
  garbage: fc.constantFrom(...GARBAGE),
});
type Mutation = typeof mutation extends fc.Arbitrary<infer Value> ? Value : never;

function mutate(bytes: Buffer, { at, kind, length, garbage }: Mutation): Buffer {
  const place = Math.floor(at * bytes.length);
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  const piece = after.subarray(0, length);
  switch (kind) {
    case 'insert':
      return Buffer.concat([before, garbage, after]);
    case 'remove':
      return Buffer.concat([before, after.subarray(length)]);
    case 'double':
      return Buffer.concat([before, piece, after]);
    case 'flip':
      return Buffer.concat([before, piece.map((byte) => byte ^ (1 << (length % 8))), after.subarray(length)]);
    case 'cut':
      return before;
    case 'join':
      return Buffer.concat([after, before]);
  }
}

test('U19 recorded streams, spoilt in any way: no crash, a legal answer, and the same however the bytes are cut', {
  timeout: TIME_LIMIT,
}, () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...cases.map(({ name }) => name)),
      fc.array(mutation, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      fc.constantFrom('end' as const, 'fail' as const),
      (name, mutations, positions, ending) => {
        const golden = cases.find((one) => one.name === name);
        if (golden === undefined) throw new Error(`no case ${name}`);
        const bytes = mutations.reduce(mutate, golden.upstream);
        const cuts = positions.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b);
        const run = (output: 'events' | 'message', places: readonly number[]) =>
          runTranslator(golden.createContext(), bytes, { output, ending, cuts: places });
        const whole = run('events', []);
        const { outcome } = whole.translator;
        checkEvents(whole.text);
        expect(outcome.ended).toBe(true);
        expect(whole.text.endsWith('{"type":"message_stop"}\n\n')).toBe(outcome.error === undefined);
        expect(run('events', cuts).text).toBe(whole.text);
        const message = run('message', []).translator;
        if (outcome.error === undefined) expect(foldEvents(whole.text)).toEqual(message.message());
      },
    ),
    { numRuns: RUNS },
  );
});
