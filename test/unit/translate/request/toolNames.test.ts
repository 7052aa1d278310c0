import { describe, expect, test } from 'vitest';
import { createToolNames } from '../../../../src/translate/request/toolNames.ts';

const long = `mcp__${'x'.repeat(80)}`;

describe('R139 names for the provider', () => {
  test.each([
    ['Read', 'Read'],
    ['mcp__a-b_c', 'mcp__a-b_c'],
    ['a.b c', 'a_b_c'],
    ['$web', '_web'],
    // First 55 characters, and 8 digits of SHA-256 of the name.
    [long, `${long.slice(0, 55)}_6473cc20`],
  ])('%s -> %s', (name, expected) => {
    expect(createToolNames([name], [], 64).toProvider(name)).toBe(expected);
    expect(createToolNames([], [], 64).toProvider(name)).toBe(expected);
  });

  test('two names on offer that would become one both get a hash, in any order', () => {
    const one = createToolNames(['a.b', 'a_b'], [], 64);
    const other = createToolNames(['a_b', 'a.b'], [], 64);
    for (const name of ['a.b', 'a_b']) {
      expect(one.toProvider(name)).toMatch(/^a_b_[0-9a-f]{8}$/);
      expect(other.toProvider(name)).toBe(one.toProvider(name));
      expect(one.toClient(one.toProvider(name))).toBe(name);
    }
    expect(one.toProvider('a.b')).not.toBe(one.toProvider('a_b'));
  });

  test('R104 a name that only the history brings up does not change the others', () => {
    const names = createToolNames(['a_b'], ['a.b', 'a b', 'a.b'], 64);
    expect(names.toProvider('a_b')).toBe('a_b');
    expect(names.toProvider('a.b')).toMatch(/^a_b_[0-9a-f]{8}$/);
    expect(names.toProvider('a b')).toMatch(/^a_b_[0-9a-f]{8}$/);
    expect(names.toClient(names.toProvider('a.b'))).toBe('a.b');
  });

  test('a shorter limit is kept', () => {
    expect(createToolNames([long], [], 20).toProvider(long)).toMatch(/^mcp__xxxxxx_[0-9a-f]{8}$/);
  });
});

describe('R209 names for the client', () => {
  const names = createToolNames(['Read', 'Bash', 'bash2', 'Bash2', 'a.b'], [long], 64);
  test.each([
    ['Read', 'Read'],
    ['a_b', 'a.b'],
    ['a.b', 'a.b'],
    [names.toProvider(long), long],
    ['read', 'Read'],
    ['BASH2', 'BASH2'],
    ['functions.Read', 'Read'],
    ['default_api:read', 'Read'],
    ['default_api.a_b', 'a.b'],
    ['tool_use:Bash', 'Bash'],
    ['Unknown', 'Unknown'],
    ['functions.Unknown', 'functions.Unknown'],
  ])('%s -> %s', (name, expected) => {
    expect(names.toClient(name)).toBe(expected);
  });
});
