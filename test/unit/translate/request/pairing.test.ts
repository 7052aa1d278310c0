import { describe, expect, test } from 'vitest';
import type { RequestMessage } from '../../../../src/protocol/anthropic/request.ts';
import { pairResults } from '../../../../src/translate/request/toolNames.ts';

/** Each word is a message: capitals are calls, small letters results with that id. */
function conversation(script: string): RequestMessage[] {
  return script.split(' ').map((word, message) => ({
    role: /[A-Z]/.test(word) ? 'assistant' : 'user',
    content: [...word].map((letter, index) => {
      const place = `${message}.${index}`;
      return letter === letter.toUpperCase()
        ? { type: 'tool_use', id: letter, name: 'T', place }
        : { type: 'tool_result', tool_use_id: letter.toUpperCase(), place };
    }),
  }));
}

function pairs(script: string): Record<string, string> {
  const { calls, results, orphans } = pairResults(conversation(script));
  const found = calls.map((call) => [String(call['place']), String(results.get(call)?.['place'] ?? 'none')]);
  return Object.fromEntries([...found, ...[...orphans].map((orphan) => [String(orphan['place']), 'orphan'])]);
}

describe('R129 pairs calls and results', () => {
  test.each([
    ['in order', 'AB ab', { '0.0': '1.0', '0.1': '1.1' }],
    ['in another order', 'AB ba', { '0.0': '1.1', '0.1': '1.0' }],
    ['much later', 'A b a', { '0.0': '2.0', '1.0': 'orphan' }],
    ['never', 'AB b', { '0.0': 'none', '0.1': '1.0' }],
    ['before the call', 'a A', { '0.0': 'orphan', '1.0': 'none' }],
    ['twice', 'A aa', { '0.0': '1.0', '1.1': 'orphan' }],
    ['same id in later rounds', 'A a A a', { '0.0': '1.0', '2.0': '3.0' }],
    ['same id, first round unanswered', 'A A a', { '0.0': 'none', '1.0': '2.0' }],
    ['same id, first round answered last', 'A A a a', { '0.0': '3.0', '1.0': '2.0' }],
    ['same id twice in one round', 'AA aa', { '0.0': '1.0', '0.1': '1.1' }],
  ])('%s', (_name, script, expected) => {
    expect(pairs(script)).toEqual(expected);
  });
});
