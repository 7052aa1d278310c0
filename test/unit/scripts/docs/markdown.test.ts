import { expect, test } from 'vitest';
import { fillSections } from '../../../../scripts/docs/markdown.ts';

const sections = { greet: (words: readonly string[]) => `Good day, ${words.join(' and ')}` };
const page = (inside: string) => `# Title\n\n<!-- generated: greet you me -->\n${inside}\n<!-- end -->\n\nThe end.\n`;

test('only what stands between the markers is written anew, and the second time changes nothing', () => {
  const filled = page('\nGood day, you and me\n');
  expect(fillSections(page(''), sections)).toBe(filled);
  expect(fillSections(page('\nolder\n\n| text |\n'), sections)).toBe(filled);
  expect(fillSections(filled, sections)).toBe(filled);
});

test('each section of a page is its own', () => {
  const twice = fillSections(page('') + page(''), sections);
  expect(twice).toBe(page('\nGood day, you and me\n').repeat(2));
});

test('a section that nobody makes is a mistake', () => {
  expect(() => fillSections('<!-- generated: other -->\n\n<!-- end -->', sections)).toThrow('no section "other"');
});
