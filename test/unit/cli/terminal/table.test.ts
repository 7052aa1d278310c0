import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Column, renderTable } from '../../../../src/cli/terminal/table.ts';
import { displayWidth, padToWidth, trimStartToWidth, trimToWidth } from '../../../../src/core/text.ts';

type Row = readonly [string, string, string];
const columns: readonly Column<Row>[] = [
  { title: 'name', cell: ([name]) => name },
  { title: 'note', cell: ([, note]) => note, minimum: 4, dropOrder: 1 },
  { title: 'n', cell: ([, , number]) => number, align: 'right' },
];

test.each([
  ['abc', 3],
  ['你好', 4],
  ['ｆｕｌｌ', 8],
  ['한국', 4],
  ['e\u0301', 1],
  ['🚀', 2],
  ['👨‍👩‍👧', 2],
  ['✔️', 2],
  ['a\u200bb', 2],
])('%s takes %i columns', (text, width) => {
  expect(displayWidth(text)).toBe(width);
});

test('text is trimmed between letters, never within one', () => {
  expect(trimToWidth('你好吗', 6)).toBe('你好吗');
  expect(trimToWidth('你好吗', 5)).toBe('你好…');
  expect(trimToWidth('你好吗', 4)).toBe('你…');
  expect(trimToWidth('abc', 0)).toBe('');
  expect(trimStartToWidth('你好吗', 5)).toBe('…好吗');
  expect(trimStartToWidth('你好吗', 6)).toBe('你好吗');
  expect(trimStartToWidth('abc', 0)).toBe('');
  expect(padToWidth('你', 4)).toBe('你  ');
});

describe('a table', () => {
  test('keeps its columns straight with wide letters; numbers stand at the right', () => {
    const lines = renderTable(columns, [
      ['kimi', '月之暗面', '12'],
      ['minimax', 'x', '3'],
    ]);
    expect(lines).toEqual(['name     note       n', 'kimi     月之暗面  12', 'minimax  x          3']);
  });

  test('is trimmed first, then loses columns, then is cut', () => {
    const rows: Row[] = [['minimax', 'a long phrase', '7']];
    expect(renderTable(columns, rows, 40)[1]).toBe('minimax  a long phrase  7');
    expect(renderTable(columns, rows, 20)[1]).toBe('minimax  a long …  7');
    expect(renderTable(columns, rows, 12)[1]).toBe('minimax  7');
    expect(renderTable(columns, rows, 5)[1]).toBe('mini…');
  });

  test('paints a cell without moving the others', () => {
    const painted = columns.map((column) => ({ ...column, paint: (text: string) => `<${text}>` }));
    expect(renderTable(painted, [['a', 'b', '1']])[1]).toBe('<a   >  <b   >  <1>');
  });

  test('is never wider than the terminal', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((value) => !/\p{Cc}/u.test(value));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(text, text, text), { maxLength: 5 }),
        fc.integer({ min: 1, max: 60 }),
        (rows, limit) => {
          for (const line of renderTable(columns, rows, limit)) expect(displayWidth(line)).toBeLessThanOrEqual(limit);
        },
      ),
    );
  });
});
