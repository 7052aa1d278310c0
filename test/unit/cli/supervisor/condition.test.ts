import { describe, expect, test } from 'vitest';
import { conditionText, describeCondition } from '../../../../src/cli/supervisor/condition.ts';
import type { State } from '../../../../src/cli/supervisor/state.ts';
import { sampleAnswer, sampleInstance, sampleRow } from './sampleInstance.ts';

const keyed = sampleInstance('kimi', 'PROVIDER=kimi\nPORT=8081\nOPENAI_API_KEY=sk-canary-0123456789\n');
const keyless = sampleInstance('kimi', 'PROVIDER=kimi\nPORT=8081\n');
const anthropic = sampleInstance('kimi', 'PROVIDER=anthropic\nPORT=8081\n');
const NOON = '2026-11-20T12:00:00Z';
const LATER = '2026-11-20T12:01:00Z';

const error = (type: string, status: number, at = NOON) => ({ last_error: { at, type, status, message: 'the words' } });
const provider = (name: string, circuit: string, ...keys: object[]) => ({ name, circuit, keys });
const resting = (type?: string) => ({ state: 'resting', until: LATER, reason: 'the reason', error_type: type ?? null });

/** The condition of an instance that serves and reports this. */
function serving(health: Record<string, unknown>, instance = keyed) {
  const facts = { state: 'serving', row: undefined, isSound: true, hasRun: true } as const;
  return describeCondition({ ...facts, instance, health: sampleAnswer({ key: 'file', ...health }).health });
}

describe('an instance that serves', () => {
  test.each<[string, ReturnType<typeof serving>, string, RegExp?]>([
    ['nothing has happened', serving({}), 'ready'],
    ['a success after the error', serving({ ...error('authentication_error', 401), last_success_at: LATER }), 'ready'],
    [
      'a new configuration after the error',
      serving({ ...error('authentication_error', 401), config_loaded_at: LATER }),
      'ready',
    ],
    [
      'a refused key, also after its cooldown',
      serving(error('authentication_error', 401)),
      'key refused',
      /12:00:00 401 the words -> .*\.\/manage key kimi$/,
    ],
    [
      'the same of a forwarded key',
      serving({ ...error('authentication_error', 401), key: 'client' }),
      'no key',
      /envs\/kimi\.env has no key/,
    ],
    ['no credit', serving(error('billing_error', 402)), 'no credit', /top up/],
    ['a limit that is over', serving(error('rate_limit_error', 429)), 'ready'],
    [
      'a failed request',
      serving(error('not_found_error', 404)),
      'failing',
      /404 the words -> \.\/manage logs kimi --errors$/,
    ],
    [
      'an open circuit',
      serving({ providers: [provider('a', 'open', { state: 'ready' })] }),
      'provider down',
      /\.\/manage test kimi$/,
    ],
    ['one that is tried again', serving({ providers: [provider('a', 'half-open')] }), 'provider down'],
    [
      'a key that cools down after 401',
      serving({ providers: [provider('a', 'closed', resting('authentication_error'))] }),
      'key refused',
      /^the reason/,
    ],
    ['after 402', serving({ providers: [provider('a', 'closed', resting('billing_error'))] }), 'no credit'],
    [
      'after 429',
      serving({ providers: [provider('a', 'closed', resting('rate_limit_error'))] }),
      'cooling down',
      /used again at 12:01:00$/,
    ],
    ['of an older build', serving({ providers: [provider('a', 'closed', resting())] }), 'cooling down'],
    [
      'one of two keys',
      serving({ providers: [provider('a', 'closed', resting('authentication_error'), { state: 'ready' })] }),
      'ready',
    ],
    ['one of two providers', serving({ providers: [provider('a', 'open'), provider('b', 'closed')] }), 'ready'],
    [
      'both providers',
      serving({ providers: [provider('a', 'open'), provider('b', 'closed', resting())] }),
      'provider down',
    ],
    [
      'no key',
      serving({ key: 'client' }, keyless),
      'no key',
      /set KIMI_API_KEY \(keys: https:.*\): \.\/manage key kimi$/,
    ],
    ['no key, and a client that brings one', serving({ key: 'client', last_success_at: NOON }, keyless), 'ready'],
    ['a login that is passed on', serving({ key: 'client' }, anthropic), 'ready'],
  ])('%s', (_what, { condition, hint }, expected, words) => {
    expect(condition).toBe(expected);
    if (words === undefined) return;
    expect(`${hint?.problem} -> ${hint?.remedy}`).toMatch(words);
  });
});

const row = (changes: Parameters<typeof sampleRow>[1]) => sampleRow(keyed, changes);

test.each<[State, Partial<Parameters<typeof describeCondition>[0]>, string]>([
  ['draining', {}, 'stopping'],
  ['starting', { row: row({ restarts: 0 }) }, 'starting'],
  ['starting', { row: row({ restarts: 3 }) }, 'crashing'],
  ['backing off', { row: row({ restarts: 3 }) }, 'crashing'],
  ['not answering', {}, 'not answering'],
  ['failed', { isSound: false }, 'wrong file'],
  ['failed', { row: row({ exitCode: 1 }) }, 'crashed'],
  ['running', {}, 'wrong file'],
  ['port taken', {}, 'port taken'],
  ['moved', {}, 'moved'],
  ['stopped', {}, 'stopped'],
  ['not started', { hasRun: true }, 'stopped'],
  ['not started', { hasRun: false }, 'not started'],
])('%s with %o is "%s"', (state, changes, expected) => {
  const facts = { instance: keyed, state, health: undefined, row: undefined, isSound: true, hasRun: true, ...changes };
  expect(describeCondition(facts).condition).toBe(expected);
});

test('how often it has crashed is said', () => {
  expect(conditionText('crashing', 5)).toBe('crashing (5 restarts)');
  expect(conditionText('crashing', 1)).toBe('crashing (1 restart)');
  expect(conditionText('ready', 5)).toBe('ready');
});
