import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readRuleTests, ruleGroups } from '../scripts/docs/rules.ts';
import { staleDocuments } from '../scripts/docs.ts';

test('the generated files are what they are made of (else: npm run docs)', () => {
  expect(staleDocuments()).toEqual([]);
});

describe('the rules', () => {
  const rules = ruleGroups.flatMap((group) => group.rules);
  const tests = readRuleTests(join(import.meta.dirname, '..'));

  test('each MUST is named by a test', () => {
    const untested = rules.filter(({ name, level }) => level === 'MUST' && !tests.has(name));
    expect(untested).toEqual([]);
  });

  test('tests name only rules that there are', () => {
    const known = new Set(rules.map(({ name }) => name));
    expect([...tests].filter(([name]) => !known.has(name))).toEqual([]);
  });

  test('they are in order, each once', () => {
    const names = rules.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)].sort());
  });
});

describe('the decisions', () => {
  const root = join(import.meta.dirname, '..');
  const folder = join(root, 'docs', 'decisions');
  const files = readdirSync(folder)
    .filter((name) => name !== 'README.md')
    .sort();
  const texts = files.map((name) => readFileSync(join(folder, name), 'utf8'));

  test('they are numbered from 0001 without a gap', () => {
    const numbers = files.map((_, index) => String(index + 1).padStart(4, '0'));
    expect(files.map((name) => name.slice(0, 5))).toEqual(numbers.map((number) => `${number}-`));
    expect(texts.map((text) => /^# (\d{4}): \S/.exec(text)?.[1])).toEqual(numbers);
  });

  test('each has a context, a decision and a consequence', () => {
    const headings = texts.map((text) => text.match(/^## .+$/gm));
    expect(headings).toEqual(files.map(() => ['## Context', '## Decision', '## Consequence']));
  });

  test('the index lists each with its title', () => {
    const index = readFileSync(join(folder, 'README.md'), 'utf8');
    const rows = texts.map((text, at) => {
      const [, number, title] = /^# (\d{4}): (.+)$/m.exec(text) ?? [];
      return `| ${number} | [${title}](${files[at]}) |`;
    });
    expect(index.match(/^\| \d{4} .*$/gm)).toEqual(rows);
  });

  test('what is cited is there', () => {
    const known = new Set(files.map((name) => name.slice(0, 4)));
    const sources = ['src', 'scripts', 'test', 'bench', 'soak', 'docs'].flatMap((top) =>
      readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(?:ts|[cm]?js|md)$/.test(name))
        .map((name) => join(top, name)),
    );
    const wrong = sources.flatMap((path) => {
      const text = readFileSync(join(root, path), 'utf8').replaceAll(/\s+\*?\s*/g, ' ');
      const cited = [...text.matchAll(/\b[Dd]ecision (\d+)/g)].map((match) => match[1] ?? '');
      return cited.filter((number) => !known.has(number)).map((number) => `${path}: decision ${number}`);
    });
    expect(wrong).toEqual([]);
  });
});
