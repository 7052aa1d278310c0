import { join } from 'node:path';
import { expect, test } from 'vitest';
import { guaranteeGroups, readGuaranteeTests } from '../scripts/docs/reliability.ts';

const guarantees = guaranteeGroups.flatMap((group) => group.guarantees);
const tests = readGuaranteeTests(join(import.meta.dirname, '..'));

const count = (letter: string, last: number) => Array.from({ length: last }, (_, index) => `${letter}${index + 1}`);

test('docs/RELIABILITY.md has a row for each guarantee, in order', () => {
  expect(guarantees.map(({ id }) => id)).toEqual([
    ...count('L', 12),
    ...count('U', 22),
    ...count('C', 8),
    ...count('P', 14),
    ...count('E', 5),
    ...count('G', 6),
    ...count('S', 4),
    ...count('A', 9),
    ...count('K', 8),
  ]);
});

test('each guarantee is named by a test, or a command proves it, or it says why it is not reached', () => {
  const unproved = guarantees.filter(
    ({ id, command, open }) => !tests.has(id) && command === undefined && open === undefined,
  );
  expect(unproved.map(({ id }) => id)).toEqual([]);
});

test('what matters most is reached', () => {
  const most = [
    ...['L1', 'L5', 'L7'],
    ...count('U', 22),
    ...count('P', 9),
    ...count('G', 3),
    ...count('S', 4),
    ...count('A', 6),
  ];
  expect(guarantees.filter(({ id, open }) => most.includes(id) && open !== undefined)).toEqual([]);
});

test('tests name only guarantees that there are', () => {
  const known = new Set(guarantees.map(({ id }) => id));
  expect([...tests].filter(([id]) => !known.has(id))).toEqual([]);
});
