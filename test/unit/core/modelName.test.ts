import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApiError } from '../../../src/core/errors.ts';
import { withoutContextSuffix } from '../../../src/core/models.ts';
import { parseRequestedName } from '../../../src/routing/modelRouter.ts';

describe('the name behind the two dashes of the model list', () => {
  test.each([
    ['claude-work--glm-5.3', 'glm-5.3'],
    ['CLAUDE-Work--x', 'x'],
    ['anthropic/claude-work--glm-5.3[1m]', 'glm-5.3'],
    ['claude-work--a--b', 'a--b'],
    ['claude-a.b--custom/x', 'custom/x'],
    ['claude-work---x', '-x'],
    ['claude---x', undefined],
    ['claude----x', 'x'],
    ['claude-work--', undefined],
    ['claude-work', undefined],
    ['claude-opus-5', undefined],
    ['other-work--x', undefined],
    ['', undefined],
  ])('%s -> %s', (name, alias) => {
    expect(parseRequestedName(name).alias).toBe(alias);
  });

  test('is what an expression finds that looks for the first dashes', () => {
    const letters = fc.constantFrom('claude-', '-', '--', 'a', '.', '/');
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 12 }), (parts) => {
        const { bare, alias } = parseRequestedName(parts.join(''));
        expect(alias).toBe(/^claude-.+?--(.+)$/i.exec(bare)?.[1]);
      }),
    );
  });
});

describe('a name of more than a kilobyte', () => {
  const refusal = (name: string): ApiError => {
    try {
      parseRequestedName(name);
    } catch (error) {
      if (error instanceof ApiError) return error;
    }
    throw new Error('not refused');
  };

  test.each([
    ['letters', 'x'.repeat(1025), 1025],
    ['letters of several bytes', 'ü'.repeat(513), 1026],
    ['dashes that a search would try in all pairs', `claude-${'-'.repeat(2_000_000)}\nx`, 2_000_009],
  ])('of %s is refused with its length, and is not repeated', (_what, name, bytes) => {
    const error = refusal(name);
    expect([error.code, error.status]).toEqual(['invalid_request', 400]);
    expect(error.message).toBe(`model: a name of ${bytes} bytes is too long; at most 1024 are read`);
  });

  test('of exactly a kilobyte is read', () => {
    expect(parseRequestedName('x'.repeat(1024)).bare).toHaveLength(1024);
  });
});

test.each([
  ['glm-5.3[1m]', 'glm-5.3'],
  ['glm-5.3[1M] ', 'glm-5.3'],
  ['glm-5.3 [1m]', 'glm-5.3'],
  ['glm[1m]-5.3', 'glm[1m]-5.3'],
  ['glm-5.3', 'glm-5.3'],
])('the suffix for a large context is taken off: %s -> %s', (name, bare) => {
  expect(withoutContextSuffix(name)).toBe(bare);
});
