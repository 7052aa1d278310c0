import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseObject } from '../../../../src/core/json.ts';
import { HeldBudget } from '../../../../src/protocol/bounds.ts';
import { RepairBudget, ToolArguments } from '../../../../src/translate/response/toolArguments.ts';
import { RUNS, TIME_LIMIT } from '../../../helpers/arbitraryStream.ts';

interface Written {
  /** What was written before the end, piece by piece. */
  readonly live: string;
  readonly whole: string;
  readonly unfinished: boolean;
  readonly note: string | undefined;
}

function write(pieces: readonly string[], options: { live?: boolean; cutOff?: boolean } = {}): Written {
  const toolArguments = new ToolArguments(options.live ?? true, false, new HeldBudget(), new RepairBudget());
  let live = '';
  for (const piece of pieces) {
    toolArguments.push(piece);
    live += toolArguments.take();
  }
  const { text, unfinished, note } = toolArguments.finish(options.cutOff ?? false, (input) => input);
  return { live, whole: live + text, unfinished, note };
}

function cutAt(text: string, positions: readonly number[]): string[] {
  const sorted = positions.map((at) => at % (text.length + 1)).sort((a, b) => a - b);
  return [...sorted, text.length].map((to, index) => text.slice(sorted[index - 1] ?? 0, to));
}

const positions = fc.array(fc.nat(), { maxLength: 12 });
const objects = fc.tuple(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 2));

describe('R207 arguments', () => {
  test('that are a JSON object are written unchanged, however they are cut', { timeout: TIME_LIMIT }, () => {
    fc.assert(
      fc.property(objects, positions, fc.boolean(), ([value, indent], cuts, live) => {
        const text = JSON.stringify(value, null, indent);
        const written = write(cutAt(text, cuts), { live });
        expect(written.whole).toBe(text);
        expect(written.note).toBeUndefined();
        expect(written.unfinished).toBe(false);
      }),
      { numRuns: RUNS },
    );
  });

  test('that break off are closed behind a whole value only, or not at all', { timeout: TIME_LIMIT }, () => {
    fc.assert(
      fc.property(objects, fc.nat(), positions, fc.boolean(), ([value, indent], at, cuts, live) => {
        const sound = JSON.stringify(value, null, indent);
        const text = sound.slice(0, 1 + (at % sound.length));
        const { whole } = write(cutAt(text, cuts), { live });
        if (text === sound || parseObject(whole) === undefined) return;
        expect(whole).toSatisfy((written: string) => written.startsWith(text.trimEnd()));
        expect(whole.slice(text.trimEnd().length).trim()).toMatch(/^[}\]]+$/);
        expect(text.trimEnd()).toMatch(/(?:["}\]]|true|false|null)$/);
      }),
      { numRuns: RUNS },
    );
  });

  test('that are damaged are written the same, however they are cut', { timeout: TIME_LIMIT }, () => {
    const damage = fc.constantFrom('', ',', "'", '"', '\\', '\n', '}', ']', '{', ' x', 'True', '/*', '`', '\u0001');
    fc.assert(
      fc.property(objects, fc.nat(), damage, positions, fc.boolean(), ([value, indent], at, mark, cuts, cutOff) => {
        const sound = JSON.stringify(value, null, indent);
        const place = at % (sound.length + 1);
        const text = sound.slice(0, place) + mark + sound.slice(place);
        const whole = write([text], { cutOff });
        const inPieces = write(cutAt(text, cuts), { cutOff });
        expect(inPieces.whole).toBe(whole.whole);
        expect(inPieces.unfinished).toBe(whole.unfinished);
        expect(inPieces.note).toBe(whole.note);
      }),
      { numRuns: RUNS },
    );
  });

  test('are never completed by guessing when the answer was cut off', { timeout: TIME_LIMIT }, () => {
    fc.assert(
      fc.property(objects, fc.nat(), fc.boolean(), ([value], at, live) => {
        const sound = JSON.stringify(value);
        const text = sound.slice(0, at % sound.length);
        const written = write([text], { live, cutOff: true });
        expect(written.unfinished).toBe(true);
        expect(sound.startsWith(written.whole)).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });

  test.each<[string, string, string]>([
    ['a member at a time', '{"a":1,"b":', '{"a":1,"b":'],
    ['not a comma that may have to go', '{"a":1, ', '{"a":1'],
    ['not a closing quote that may be part of the text', '{"a":"x" ', '{"a":"x'],
    ['nothing that does not begin like an object', '[{"a":1', ''],
    ['nothing of an object without members', '{ ', ''],
  ])('go out at once: %s', (_name, text, live) => {
    expect(write([text]).live).toBe(live);
  });

  test.each<[string, string, string | undefined]>([
    ['a comma before the end', '{"a":1,}', '{"a":1}'],
    ['commas within', '{"a":[1,2,],"b":{"c":1 , }}', '{"a":[1,2],"b":{"c":1  }}'],
    ['a line end inside a string', '{"a":"x\ny"}', '{"a":"x\\ny"}'],
    ['a path with backslashes', '{"a":"C:\\dir"}', '{"a":"C:\\\\dir"}'],
    ['quotes inside a string', '{"a":"say "x", then "y""}', undefined],
    ['words after it', '{"a":1} done', '{"a":1}'],
    ['a comment', '{"a":1, // why\n"b":2}', undefined],
    ['a bare word as a name', '{"a":1, b: 2}', undefined],
    ['a wrong bracket', '{"a":[1}', undefined],
    ['Python', '{"a": None, "b": [True, False]}', undefined],
  ])('are repaired while they go out: %s', (_name, text, expected) => {
    const { whole } = write([...text]);
    if (expected === undefined) expect(() => JSON.parse(whole) as unknown).not.toThrow();
    else expect(whole).toBe(expected);
  });

  test('that were repaired never contradict what was written before', () => {
    const { live, whole } = write(['{"a":1, ', "'b':2}"]);
    expect(whole.startsWith(live)).toBe(true);
    expect(JSON.parse(whole)).toEqual({ a: 1, b: 2 });
  });
});
