import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LogFileInfo, planRedating, planRemovals } from '../../../../src/telemetry/log/retention.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 20);
const limits = { now: NOW, retentionMs: 72 * HOUR, maxTotalBytes: 1_000, active: 'kimi.log', activeMaxBytes: 0 };

function file(name: string, ageHours: number, size: number): LogFileInfo {
  return { name, size, modifiedAt: NOW - ageHours * HOUR };
}

test.each<[string, LogFileInfo[], Partial<typeof limits>, string[]]>([
  ['nothing', [], {}, []],
  ['what is 72 h old', [file('a', 72, 1), file('b', 71.99, 1)], {}, ['a']],
  ['never the active file for its age', [file('kimi.log', 1000, 1)], {}, []],
  ['never the active file for its size', [file('kimi.log', 0, 5_000)], {}, []],
  ['the oldest beyond the total', [file('b', 2, 400), file('a', 3, 400), file('c', 1, 400)], {}, ['a']],
  ['nothing at exactly the total', [file('a', 2, 500), file('b', 1, 500)], {}, []],
  ['the total counts the active file', [file('kimi.log', 0, 700), file('a', 2, 200), file('b', 1, 200)], {}, ['a']],
  ['an expired file leaves room', [file('a', 80, 900), file('b', 2, 600)], {}, ['a']],
  ['room is kept for the active file to grow', [file('a', 2, 400), file('b', 1, 400)], { activeMaxBytes: 300 }, ['a']],
  ['of the same time the first by name', [file('b', 1, 600), file('a', 1, 600)], {}, ['a']],
])('G3 removes %s', (_name, files, changes, removals) => {
  expect(planRemovals(files, { ...limits, ...changes })).toEqual(removals);
});

test('G3 holds for any files: what is left is young and fits, and nothing more is removed than needed', () => {
  const anyFile = fc.record({
    name: fc.stringMatching(/^[a-z]{1,6}$/),
    size: fc.nat(600),
    modifiedAt: fc.integer({ min: NOW - 100 * HOUR, max: NOW }),
  });
  fc.assert(
    fc.property(fc.uniqueArray(anyFile, { selector: (candidate) => candidate.name }), (files) => {
      const removed = planRemovals(files, limits);
      const kept = files.filter((candidate) => !removed.includes(candidate.name));
      const total = kept.reduce((sum, candidate) => sum + candidate.size, 0);
      expect(kept.every((candidate) => NOW - candidate.modifiedAt < 72 * HOUR)).toBe(true);
      expect(total).toBeLessThanOrEqual(1_000);
      const last = files.find((candidate) => candidate.name === removed.at(-1));
      if (last && NOW - last.modifiedAt < 72 * HOUR) expect(total + last.size).toBeGreaterThan(1_000);
    }),
  );
});

test('G4 gives a new date to files of more than an hour ahead', () => {
  expect(planRedating([file('a', -2, 1), file('b', -0.5, 1), file('c', 1, 1)], NOW)).toEqual(['a']);
});
