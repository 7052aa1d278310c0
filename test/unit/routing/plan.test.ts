import { describe, expect, test } from 'vitest';
import type { NamedProvider } from '../../../src/config/config.ts';
import { createModelRefs } from '../../../src/config/models.ts';
import { type Decision, planCandidates } from '../../../src/routing/decision.ts';
import { LoadBalancer } from '../../../src/routing/loadBalancer.ts';
import { configOf } from '../../helpers/configText.ts';

const { provider } = configOf(['PROVIDER=glm', 'OPENAI_API_KEY=own-key-0001']);

function named(name: string, models: Partial<NamedProvider['models']>, weight = 1): NamedProvider {
  const all = { big: [], middle: [], small: [], ...models };
  return { name, provider, priority: 1, weight, models: all, requestTimeoutMs: 1000, maxRetries: undefined };
}

const one = named('one', { big: ['b1', 'b2'], small: ['s1'] });
const two = named('two', { big: ['two,b'], small: ['two,s'] }, 3);
const three = named('three', { big: ['three,b', 'b1'] }, 0);
const tiers = { big: 'b1', middle: 'b1', small: 's1' };
const names = [one, two, three].flatMap(({ models }) => Object.values(models).flat());
const modelRefs = createModelRefs([one, two, three], new Map(), names);

describe('the candidates of a decision', () => {
  type Fields = Partial<Omit<Decision, 'model'>> & { readonly model?: string };
  const decision = ({ model = 'b1', ...fields }: Fields): Decision => ({
    rule: 'tier',
    tier: 'big',
    model: modelRefs.of(model),
    reason: '',
    ...fields,
  });
  test.each<[string, Fields, readonly string[]]>([
    ['each model of the tier at each provider', {}, ['b1', 'b2', 'two,b', 'three,b']],
    ['the small tier', { tier: 'small', model: 's1' }, ['s1', 'two,s']],
    ['a named model has no spares', { rule: 'named', tier: 'none', model: 'x' }, ['x']],
    ['a named model of a tier has none either', { rule: 'named', model: 'b1' }, ['b1']],
    ['the router’s target, then the tier', { rule: 'think', model: 'b2' }, ['b2', 'b1', 'two,b', 'three,b']],
    ['a client’s own name for the tier', { model: 'claude-opus-x' }, ['claude-opus-x', 'b2', 'two,b', 'three,b']],
    ['a tier that no provider lists', { tier: 'middle', model: 'm' }, ['m']],
  ])('%s', (_what, fields, expected) => {
    const candidates = planCandidates(decision(fields), { tiers, modelRefs }, [one, two, three]);
    expect(candidates.map(({ name }) => name)).toEqual(expected);
  });
});

describe('the order of the providers', () => {
  const providers = [one, two, three];
  const start = (lots: readonly number[] = []) => {
    const time = { now: 0 };
    const left = [...lots];
    const order = new LoadBalancer({ now: () => 0, monotonic: () => time.now }, () => left.shift() ?? 0);
    const take = (strategy: Parameters<LoadBalancer['take']>[0]['strategy'], conversation: string) =>
      order.take({ providers, strategy }, () => conversation).map(({ name }) => name);
    return { time, order, take };
  };

  test('priority asks in the order of the configuration', () => {
    const { take } = start();
    expect([take('priority', 'x'), take('priority', 'y')]).toEqual(Array(2).fill(['one', 'two', 'three']));
  });

  test('round_robin begins each conversation at the next, and a question does not count', () => {
    const { take, order } = start();
    order.look({ providers, strategy: 'round_robin' }, () => 'question');
    expect(['a', 'b', 'c', 'd'].map((name) => take('round_robin', name)[0])).toEqual(['one', 'two', 'three', 'one']);
    expect(take('round_robin', 'b')[0]).toBe('two');
  });

  test.each([
    ['random', [0, 0, 0], ['one', 'two', 'three']],
    ['random', [0.4, 0.9, 0], ['two', 'three', 'one']],
    // Weights 1, 3, 0: one has the first quarter, and three comes last.
    ['weighted', [0.24, 0.99], ['one', 'two', 'three']],
    ['weighted', [0.26, 0.5], ['two', 'one', 'three']],
    ['weighted', [0.999, 0], ['two', 'one', 'three']],
  ] as const)('%s with the lots %j', (strategy, lots, expected) => {
    expect(start(lots).take(strategy, 'x')).toEqual(expected);
  });

  test('a conversation stays with the provider that served it until it was silent for ten minutes', () => {
    const { take, order, time } = start();
    take('priority', 'x');
    order.keep('x', 'two');
    time.now = 599_999;
    expect(take('priority', 'x')).toEqual(['two', 'one', 'three']);
    expect(take('priority', 'y')).toEqual(['one', 'two', 'three']);
    time.now += 599_999;
    expect(take('priority', 'x')[0]).toBe('two');
    time.now += 600_000;
    expect(take('priority', 'x')[0]).toBe('one');
  });

  test('a provider that is gone after a reload is not waited for', () => {
    const { take, order } = start();
    order.keep('x', 'gone');
    expect(take('priority', 'x')).toEqual(['one', 'two', 'three']);
  });

  test('the oldest of ten thousand conversations is forgotten first', () => {
    const { take, order } = start();
    for (let index = 0; index <= 10_000; index += 1) order.keep(`c${index}`, 'two');
    expect(take('priority', 'c1')[0]).toBe('two');
    expect(take('priority', 'c0')[0]).toBe('one');
  });

  test('one provider alone asks nothing of the conversation', () => {
    const { order } = start();
    const never = () => {
      throw new Error('looked at');
    };
    expect(order.take({ providers: [one], strategy: 'random' }, never)).toEqual([one]);
  });
});
