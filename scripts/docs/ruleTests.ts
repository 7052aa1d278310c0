import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where each rule is named by a test: in a title of a test file, or as the folder of a golden case. */
export type RuleTests = ReadonlyMap<string, readonly string[]>;

const RULE = /\bR\d{3}\b/g;
const TEXT = /'[^'\n]*'|`[^`\n]*`/g;

function rulesIn(text: string): Set<string> {
  return new Set(text.match(RULE));
}

/** The texts in a test file, quotes included: titles, or the rows that titles are made of; comments do not count. */
export function textsOf(source: string): readonly string[] {
  return source.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '').match(TEXT) ?? [];
}

function rulesOfFile(source: string): Set<string> {
  return rulesIn(textsOf(source).join('\n'));
}

/** Reads the tests below `test/` of the project; the places are sorted, golden cases of one rule are one place. */
export function readRuleTests(root: string): RuleTests {
  const places = new Map<string, Set<string>>();
  const add = (rules: ReadonlySet<string>, place: (rule: string) => string) => {
    for (const rule of rules) places.set(rule, (places.get(rule) ?? new Set()).add(place(rule)));
  };
  for (const entry of readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }).sort()) {
    const path = entry.replaceAll('\\', '/');
    const golden = /^golden\/(\w+)\/[^/]+$/.exec(path);
    if (golden !== null) add(rulesIn(path), (rule) => `golden/${golden[1]}/${rule}-*`);
    else if (path.endsWith('.test.ts')) add(rulesOfFile(readFileSync(join(root, 'test', path), 'utf8')), () => path);
  }
  return new Map([...places].map(([rule, found]) => [rule, [...found]]));
}
