import { stripVTControlCharacters, styleText } from 'node:util';
import { describe, expect, test } from 'vitest';
import { consolePicture, statusPicture, topPicture } from '../../../../scripts/docs/samplePictures.ts';
import { readColours, terminalPicture } from '../../../../scripts/docs/terminalPicture.ts';
import { presets } from '../../../../src/providers/index.ts';

const LETTER = /<text x="(?<x>[\d.]+)" y="(?<y>\d+)" textLength="(?<width>[\d.]+)"[^>]*>(?<text>[^<]+)<\/text>/g;
const CELL = 8.4;

/** The letters of a picture back in their lines and columns. */
function linesOf(svg: string): string[] {
  const lines = new Map<number, string>();
  for (const { groups = {} } of svg.matchAll(LETTER)) {
    const { x, y, text = '' } = groups;
    const column = Math.round((Number(x) - 16) / CELL);
    const before = lines.get(Number(y)) ?? '';
    expect(column).toBeGreaterThanOrEqual(before.length);
    const letters = text
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&amp;', '&');
    lines.set(Number(y), before.padEnd(column) + letters);
  }
  return [...lines].sort(([one], [other]) => one - other).map(([, line]) => line);
}

test('every letter stands in its column', () => {
  const lines = [`name  ${styleText('green', 'serving', { validateStream: false })}   <a & "b">`, '  → two words   x'];
  expect(linesOf(terminalPicture('title', lines, 60))).toEqual(lines.map((line) => stripVTControlCharacters(line)));
});

describe('colours', () => {
  test.each([
    ['plain', [{ text: 'plain', look: {} }]],
    [
      '\u001b[31mred\u001b[39m!',
      [
        { text: 'red', look: { colour: '#ff7b72' } },
        { text: '!', look: {} },
      ],
    ],
    ['\u001b[1mbold\u001b[22m', [{ text: 'bold', look: { bold: true } }]],
    ['\u001b[2mfaint\u001b[0m', [{ text: 'faint', look: { faint: true } }]],
    ['\u001b[90mgrey', [{ text: 'grey', look: { colour: '#7d8590' } }]],
    ['\u001b[38;5;208morange', [{ text: 'orange', look: { colour: 'rgb(255, 135, 0)' } }]],
  ])('of %j', (line, expected) => {
    expect(readColours(line)).toEqual(expected);
  });

  test('an unknown sequence is a mistake', () => {
    expect(() => readColours('\u001b[5mblink')).toThrow('5');
  });
});

describe('the pictures', () => {
  const names = presets.filter(({ port }) => port !== undefined).map(({ name }) => name);

  test('status shows every instance, one of which has been stopped', () => {
    const lines = linesOf(statusPicture());
    for (const name of names) expect(lines.filter((line) => line.startsWith(`${name} `))).toHaveLength(1);
    expect(lines.join('\n')).toMatch(
      / ready .* key refused .* stopped .*kimi: \d\d:\d\d:\d\d 401 .*-> .*\.\/manage key kimi/s,
    );
  });

  test('top shows every instance and the total', () => {
    const lines = linesOf(topPicture());
    for (const name of [...names, 'total']) expect(lines.filter((line) => line.startsWith(`${name} `))).toHaveLength(1);
    expect(lines[0]).toContain('3 of 5 ready');
  });

  test('the console shows an answer, one from a spare, and an error', () => {
    expect(linesOf(consolePicture()).join('\n')).toMatch(/ ✓ .* fallback from .* ✗ .*invalid_request_error/s);
  });
});
