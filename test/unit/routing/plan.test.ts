import { describe, expect, test } from 'vitest';
import type { NamedProvider, Strategy } from '../../../src/config/config.ts';
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
  const start = () => {
    const time = { now: 0 };
    const order = new LoadBalancer({ now: () => 0, monotonic: () => time.now });
    const names = (strategy: Strategy, conversation: string) =>
      order.order({ providers, strategy }, () => conversation).map(({ name }) => name);
    return { time, order, names };
  };

  test('priority asks in the order of the configuration', () => {
    const { names } = start();
    expect([names('priority', 'x'), names('priority', 'y')]).toEqual(Array(2).fill(['one', 'two', 'three']));
  });

  test('who has no weight comes last', () => {
    const { names } = start();
    for (let index = 0; index < 100; index += 1) expect(names('weighted', `c${index}`)[2]).toBe('three');
  });

  test('a provider that has failed a conversation badly is asked last for it for ten minutes, and for no other', () => {
    const { names, order, time } = start();
    order.avoid('x', 'one');
    time.now = 599_999;
    expect(names('priority', 'x')).toEqual(['two', 'three', 'one']);
    expect(names('priority', 'y')).toEqual(['one', 'two', 'three']);
    order.avoid('x', 'two');
    expect(names('priority', 'x')).toEqual(['three', 'one', 'two']);
    time.now = 600_000;
    expect(names('priority', 'x')).toEqual(['one', 'three', 'two']);
    time.now = 1_199_999;
    expect(names('priority', 'x')).toEqual(['one', 'two', 'three']);
  });

  test('a provider that is gone after a reload is not waited for', () => {
    const { names, order } = start();
    order.avoid('x', 'gone');
    expect(names('priority', 'x')).toEqual(['one', 'two', 'three']);
  });

  test('the oldest of ten thousand conversations is forgotten first', () => {
    const { names, order } = start();
    for (let index = 0; index <= 10_000; index += 1) order.avoid(`c${index}`, 'one');
    expect(names('priority', 'c1')[0]).toBe('two');
    expect(names('priority', 'c0')[0]).toBe('one');
  });

  test('one provider alone asks nothing of the conversation', () => {
    const { order } = start();
    const never = () => {
      throw new Error('looked at');
    };
    expect(order.order({ providers: [one], strategy: 'random' }, never)).toEqual([one]);
  });
});
