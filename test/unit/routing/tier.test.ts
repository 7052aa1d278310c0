import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRequestedName, resolveTier } from '../../../src/routing/modelRouter.ts';

const tiers = { big: 'glm-5.3', middle: 'glm-5.2', small: 'glm-5.3-flash' };
const listed = { 'glm-5.3': {}, 'glm-4.7': {}, 'glm-5.3-flash': {} };

describe('R103 model names', () => {
  test.each<[string, string, string]>([
    ['claude-opus-5', 'big', 'glm-5.3'],
    ['claude-opus-4-1-20250805', 'big', 'glm-5.3'],
    ['claude-fable-5', 'big', 'glm-5.3'],
    ['claude-sonnet-5', 'middle', 'glm-5.2'],
    ['claude-3-5-sonnet-latest', 'middle', 'glm-5.2'],
    ['claude-haiku-4-5-20251001', 'small', 'glm-5.3-flash'],
    ['Claude-3-Haiku', 'small', 'glm-5.3-flash'],
    ['anthropic/claude-sonnet-5', 'middle', 'glm-5.2'],
    ['opus', 'big', 'glm-5.3'],
    ['claude-sonnet-5[1m]', 'middle', 'glm-5.2'],
    ['  claude-haiku-4-5[1M]  ', 'small', 'glm-5.3-flash'],
    ['claude-mystery-9', 'big', 'glm-5.3'],
    ['', 'big', 'glm-5.3'],
    ['glm-5.3', 'big', 'glm-5.3'],
    ['glm-5.2', 'middle', 'glm-5.2'],
    ['GLM-5.3-Flash', 'small', 'glm-5.3-flash'],
    ['glm-5.3[1m]', 'big', 'glm-5.3'],
    ['glm-5.2-20261001', 'middle', 'glm-5.2'],
    ['glm-4.7', 'none', 'glm-4.7'],
    ['glm-6', 'none', 'glm-6'],
    ['gpt-5.4[1m]', 'none', 'gpt-5.4'],
    ['constructor', 'none', 'constructor'],
    ['claude-glm--glm-5.2', 'middle', 'glm-5.2'],
    ['claude-glm--glm-4.7', 'none', 'glm-4.7'],
    ['claude-my-glm--glm-5.2[1m]', 'middle', 'glm-5.2'],
    ['claude-kimi--kimi-k3', 'big', 'glm-5.3'],
  ])('%j -> %s %s', (requested, tier, model) => {
    expect(resolveTier(parseRequestedName(requested), tiers, listed)).toEqual({ tier, model });
  });

  test('a configured name that looks like a Claude is taken as it stands', () => {
    const own = { big: 'anthropic/claude-sonnet-5', middle: 'claude-haiku-x', small: 'opus-mini' };
    expect(resolveTier(parseRequestedName('anthropic/claude-sonnet-5'), own, {})).toEqual({
      tier: 'big',
      model: own.big,
    });
    expect(resolveTier(parseRequestedName('claude-haiku-x'), own, {})).toEqual({ tier: 'middle', model: own.middle });
    expect(resolveTier(parseRequestedName('claude-r--anthropic/claude-sonnet-5'), own, {})).toEqual({
      tier: 'big',
      model: own.big,
    });
  });

  test('one model in several tiers counts as the biggest', () => {
    const same = { big: 'm', middle: 'm', small: 'm' };
    expect(resolveTier(parseRequestedName('m'), same, {}).tier).toBe('big');
    expect(resolveTier(parseRequestedName('claude-haiku-4-5'), same, {}).tier).toBe('small');
  });

  test('every name gives some model', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        expect(resolveTier(parseRequestedName(name), tiers, listed).model).not.toBe('');
      }),
    );
  });
});

describe('R103 a provider of Claude itself', () => {
  const own = { big: 'claude-opus-5', middle: 'claude-sonnet-5', small: 'claude-haiku-4-5-20251001' };
  const listed = { 'claude-opus-5': {}, 'claude-haiku-4-5-20251001': {} };

  test.each([
    ['claude-opus-5[1m]', 'big', 'claude-opus-5'],
    ['claude-sonnet-4-5-20250929', 'middle', 'claude-sonnet-4-5-20250929'],
    ['claude-haiku-4-5', 'small', 'claude-haiku-4-5'],
    ['claude-of-tomorrow', 'none', 'claude-of-tomorrow'],
    ['claude-work--claude-opus-5', 'big', 'claude-opus-5'],
    ['opus', 'big', 'claude-opus-5'],
  ])('gets %s as tier %s, %s', (requested, tier, model) => {
    expect(resolveTier(parseRequestedName(requested), own, listed, own)).toEqual({ tier, model });
  });

  test('gets the model that the user has set for a tier, whatever the client names', () => {
    const tiers = { ...own, small: 'claude-sonnet-5' };
    for (const name of ['claude-haiku-4-5-20251001', 'claude-haiku-5-5'])
      expect(resolveTier(parseRequestedName(name), tiers, listed, own)).toEqual({
        tier: 'small',
        model: 'claude-sonnet-5',
      });
  });
});
