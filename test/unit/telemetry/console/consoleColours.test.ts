import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ColourCount, countColours, createPaint, NameColours } from '../../../../src/telemetry/console/lines.ts';
import { createTerminalView } from '../../../../src/telemetry/console/view.ts';

const XTERM = { TERM: 'xterm-256color' };

const cases: readonly [boolean, NodeJS.ProcessEnv, ColourCount][] = [
  [true, XTERM, 256],
  [true, { TERM: 'xterm' }, 16],
  [true, { ...XTERM, NO_COLOR: '1' }, 0],
  [true, { ...XTERM, NO_COLOR: '' }, 256],
  [true, { TERM: 'dumb' }, 0],
  [true, { TERM: 'dumb', FORCE_COLOR: '1' }, 16],
  [true, { ...XTERM, FORCE_COLOR: '0' }, 0],
  [false, XTERM, 0],
  [false, { ...XTERM, FORCE_COLOR: '3' }, 256],
  [false, { ...XTERM, FORCE_COLOR: '0' }, 0],
];

test.each(cases)('a terminal (%s) with %j has %i colours', (isTerminal, environment, colours) => {
  expect(countColours(isTerminal, environment)).toBe(colours);
});

test.each([
  [true, XTERM, true],
  [true, { NO_COLOR: '1' }, true],
  [false, XTERM, false],
  [false, { FORCE_COLOR: '1' }, true],
])('stdout as a terminal (%s) with %j reads as one: %s', (isTTY, environment, expected) => {
  const facts = { instance: 'kimi', providers: [], redact: (text: string) => text };
  expect(createTerminalView({ isTTY, columns: 80 }, environment, facts) !== undefined).toBe(expected);
});

test('up to twelve names have colours of their own, whatever they are and in whatever order they come', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 12 }), (names) => {
      const colours = new NameColours(names);
      const again = new NameColours(names.toReversed());
      for (const count of [16, 256] as const) {
        const paint = createPaint(count);
        expect(new Set(names.map((name) => paint(colours.slotOf(name), 'x'))).size).toBe(names.length);
      }
      expect(names.map((name) => again.slotOf(name))).toEqual(names.map((name) => colours.slotOf(name)));
    }),
  );
});

test('a later name takes a free colour and leaves the others theirs; a thirteenth shares one', () => {
  const names = Array.from({ length: 11 }, (_, index) => `provider-${index}`);
  const colours = new NameColours(names);
  const before = names.map((name) => colours.slotOf(name));
  expect(before).not.toContain(colours.slotOf('late'));
  expect(names.map((name) => colours.slotOf(name))).toEqual(before);
  expect([...before, colours.slotOf('late')]).toContain(colours.slotOf('later'));
});
