import { code, markdownPage, markdownTable } from './markdown.ts';
import { type RuleGroup, ruleGroups } from './rules.ts';
import type { RuleTests } from './ruleTests.ts';

function describeGroup({ title, rules }: RuleGroup, tests: RuleTests): readonly string[] {
  const rows = rules.map(({ name, level, subject }) => {
    const places = tests.get(name) ?? [];
    return [name, level, subject, places.length === 0 ? 'none' : places.map(code).join(', ')];
  });
  return [`## ${title}`, markdownTable(['Rule', 'Level', 'Subject', 'Tests'], rows)];
}

/** docs/RULES.md: every rule of the translation and where it is tested. */
export function rulesPage(tests: RuleTests): string {
  return markdownPage(
    '# Rules of the translation',
    'Sources, tests and decisions refer to these numbers. The last column says which tests name the rule, below `test/`; a golden case is a folder with what goes in and what comes out.',
    ...ruleGroups.flatMap((group) => describeGroup(group, tests)),
  );
}
