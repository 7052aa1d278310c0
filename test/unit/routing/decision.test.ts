import { describe, expect, test } from 'vitest';
import type { Router } from '../../../src/config/config.ts';
import { decide, type RequestFacts } from '../../../src/routing/decision.ts';
import { routeModel } from '../../../src/routing/modelRouter.ts';
import { configOf } from '../../helpers/configText.ts';

const config = configOf([
  'PROVIDER=glm',
  'OPENAI_API_KEY=own-key-0001',
  'BIG_MODEL=b',
  'MIDDLE_MODEL=m',
  'SMALL_MODEL=s',
]);

const router: Required<Router> = {
  longContext: 'long',
  subagent: 'sub',
  background: 'back',
  webSearch: 'search',
  think: 'thinker',
  default: 'usual',
  image: 'seer',
};

type Fact = Exclude<keyof RequestFacts, 'seesImages'>;

/** Facts of which those that are named hold, and a note of those that were looked at. */
function factsWith(...held: readonly Fact[]): RequestFacts & { readonly looked: Fact[] } {
  const looked: Fact[] = [];
  const fact = (name: Fact) => () => {
    looked.push(name);
    return held.includes(name);
  };
  return {
    looked,
    isLong: fact('isLong'),
    isSubagent: fact('isSubagent'),
    isWebSearch: fact('isWebSearch'),
    isThinking: fact('isThinking'),
    hasImages: fact('hasImages'),
    seesImages: ({ name }) => name === 'seer',
  };
}

/** The decision, with the name that its model has here. */
function decideFor(requested: string, lines: Router, ...held: readonly Fact[]) {
  const { model, ...rest } = decide({ ...config, router: lines }, routeModel(requested, config), factsWith(...held));
  return { ...rest, model: model.name };
}

describe('which line of the router holds, the first of several', () => {
  const all: readonly Fact[] = ['isLong', 'isSubagent', 'isWebSearch', 'isThinking'];
  test.each<[string, string, readonly Fact[], string, string]>([
    ['everything holds', 'claude-haiku-4-5', all, 'long_context', 'long'],
    ['a subagent', 'claude-haiku-4-5', all.slice(1), 'subagent', 'sub'],
    ['the small model', 'claude-haiku-4-5', all.slice(2), 'background', 'back'],
    ['a web search', 'claude-opus-5', all.slice(2), 'web_search', 'search'],
    ['thinking', 'claude-opus-5', all.slice(3), 'think', 'thinker'],
    ['nothing', 'claude-sonnet-5', [], 'default', 'usual'],
  ])('%s', (_what, requested, held, rule, model) => {
    const { image: _image, ...rest } = router;
    expect(decideFor(requested, rest, ...held)).toMatchObject({ rule, model });
  });

  test('a line without a target does not hold', () => {
    expect(decideFor('claude-haiku-4-5', { think: 'thinker' }, 'isLong', 'isThinking')).toMatchObject({
      rule: 'think',
      tier: 'small',
      reason: 'ROUTER_THINK: thinking is asked for',
    });
  });
});

describe('a model that the user names', () => {
  test.each([
    ['some-other-model', 'named', 'some-other-model'],
    ['glm,glm-4.7', 'named', 'glm-4.7'],
    ['claude-work--m', 'named', 'm'],
    // The manager gives the client the tiers' models by their own names.
    ['b', 'default', 'usual'],
    // It never puts the first provider in front of one.
    ['glm,s', 'named', 's'],
    ['claude-opus-5', 'default', 'usual'],
  ])('%s -> %s', (requested, rule, model) => {
    const { image: _image, ...rest } = router;
    expect(decideFor(requested, rest)).toMatchObject({ rule, model });
  });

  test('goes before ROUTER_IMAGE as well', () => {
    expect(decideFor('some-other-model', router, 'hasImages')).toMatchObject({ rule: 'named' });
  });
});

describe('ROUTER_IMAGE', () => {
  const { image } = router;
  test('takes images that the chosen model does not see', () => {
    expect(decideFor('claude-opus-5', { image }, 'hasImages')).toEqual({
      rule: 'image',
      tier: 'big',
      model: 'seer',
      reason: 'ROUTER_IMAGE: there are images, which b does not see',
    });
  });

  test('leaves a request without images, and a model that sees them', () => {
    expect(decideFor('claude-opus-5', { image }).rule).toBe('tier');
    expect(decideFor('claude-opus-5', { image, default: 'seer' }, 'hasImages').rule).toBe('default');
  });
});

test('without a router nothing of the request is looked at', () => {
  const facts = factsWith('isLong', 'hasImages');
  expect(decide(config, routeModel('claude-opus-5', config), facts)).toMatchObject({
    rule: 'tier',
    model: { name: 'b' },
  });
  expect(facts.looked).toEqual([]);
});
