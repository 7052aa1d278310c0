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
