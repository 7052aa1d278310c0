import { describe, expect, test } from 'vitest';
import { createFormat, pathEnd, safeText, splitRemedy } from '../../../src/page/format.ts';

const english = createFormat('en-US');
const german = createFormat('de-DE');
const NOW = Date.parse('2026-11-20T12:00:00');

describe('numbers', () => {
  test.each([
    [null, '–'],
    [undefined, '–'],
    [0, '0'],
    [12_345, '12,345'],
  ])('the count %s is %s', (value, words) => expect(english.count(value)).toBe(words));

  test.each([
    [9999, '9,999'],
    [12_345, '12.3K'],
    [895_000_000, '895M'],
  ])('in a narrow column %d is %s', (value, words) => expect(english.compact(value)).toBe(words));

  test.each([
    [0, '0'],
    [0.0166, '0.02'],
    [12.34, '12.3'],
    [320.6, '321'],
  ])('the rate %d is %s', (value, words) => expect(english.rate(value)).toBe(words));

  test('an unknown price is ?, and one that is known in part has it, too', () => {
    expect(english.money(null)).toBe('?');
    expect(english.money(1.5)).toBe('$1.5000');
    expect(english.partlyKnownMoney(null, 3)).toBe('?');
    expect(english.partlyKnownMoney(1.234, 0)).toBe('$1.23');
    expect(english.partlyKnownMoney(1.234, 3)).toBe('$1.23 + ?');
  });

  test('all are as the reader’s language writes them', () => {
    expect(german.count(12_345)).toBe('12.345');
    expect(german.money(1.5, 2)).toBe('1,50\u00a0$');
    expect(german.percent(0.375)).toBe('38\u00a0%');
  });

  test.each([
    [110, 100, '+10%'],
    [50, 100, '-50%'],
    [100, 100, '0%'],
    [5, 0, '–'],
    [null, 5, '–'],
  ])('from %s with %s before it is %s', (now, before, words) => expect(english.change(now, before)).toBe(words));
});

describe('times', () => {
  test.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1230, '1.23 s'],
    [9996, '10.0 s'],
    [59_949, '59.9 s'],
    [59_960, '1 min 0 s'],
    [185_000, '3 min 5 s'],
    [3_599_600, '1 h 0 min'],
    [93_000_000, '1 d 1 h'],
    [null, '–'],
  ])('%s ms are %s', (value, words) => expect(english.duration(value)).toBe(words));

  test('of today the time is enough, of another day its day stands before it', () => {
    expect(english.time(Date.parse('2026-11-20T09:05:07'), NOW)).toMatch(/^9:05:07\sAM$/);
    expect(english.time(Date.parse('2026-11-19T09:05:07'), NOW)).toMatch(/^Nov 19, 09:05/);
    for (const none of [null, undefined, '', 'no time']) expect(english.time(none, NOW)).toBe('–');
    expect(english.moment('no time')).toBe('–');
  });

  test('a day of the calendar is the same in every zone, and has its year where that is another one', () => {
    expect(english.day('2026-11-30')).toBe('Nov 30');
    expect(english.day('2025-11-30', 2026)).toBe('Nov 30, 2025');
    expect(english.month('2026-11-01')).toBe('Nov 2026');
    expect(english.day('no day')).toBe('no day');
  });
});

test('of foreign text control characters and turns of direction are shown', () => {
  expect(safeText('a\u202eb\u0007<b>\n')).toBe(String.raw`a\u202eb\x07<b>\x0a`);
  expect(safeText(null)).toBe('');
});

test.each([
  [null, '', undefined],
  ['wait a moment', 'wait a moment', undefined],
  ['correct the key: ./manage key work', 'correct the key', './manage key work'],
  ['./manage init', '', './manage init'],
])('the remedy %j is the words %j and the command %j', (remedy, words, command) =>
  expect(splitRemedy(remedy)).toEqual({ words, command }),
);

test.each([
  ['/home/ada/work/billing', 'work/billing'],
  ['C:\\work\\billing', 'work/billing'],
  ['0123456789abcdef', '0123456789abcdef'],
])('of the path %s is shown %s', (path, end) => expect(pathEnd(path)).toBe(end));
