import { expect, test } from 'vitest';
import { mergeUsage } from '../../../../src/translate/response/finish.ts';

const usage = { input: 5, output: 7, cacheRead: 0, cacheWrite: 0 };

test('R313 a count of reasoning stays when a later usage does not name it, and gives way to a later one', () => {
  const known = { ...usage, reasoning: 3 };
  expect(mergeUsage(known, usage).reasoning).toBe(3);
  expect(mergeUsage(known, { ...usage, reasoning: 4 }).reasoning).toBe(4);
  expect(mergeUsage(usage, usage)).not.toHaveProperty('reasoning');
});
