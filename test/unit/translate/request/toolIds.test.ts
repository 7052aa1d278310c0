import { describe, expect, test } from 'vitest';
import { assignToolIds, createToolNames } from '../../../../src/translate/request/toolNames.ts';

const names = createToolNames([], [], 64);

function assign(ids: readonly string[], form: 'keep' | 'functions' | 'nine'): string[] {
  const calls = ids.map((id) => ({ type: 'tool_use', id, name: 'Read' }));
  return [...assignToolIds(calls, form, names).values()];
}

describe('R132 ids for the provider', () => {
  test('keep: our own ids as they are, others cleaned, shortened and made unique', () => {
    const long = 'x'.repeat(64);
    const [own, odd, again, shortened] = assign(['toolu_abc', 'functions.Read:0', 'toolu_abc', long], 'keep');
    expect([own, odd, again]).toEqual(['toolu_abc', 'functions_Read_0', 'toolu_abc_2']);
    expect(shortened).toMatch(/^x{31}_[0-9a-f]{8}$/);
  });

  test('keep: a made-up id never meets a real one', () => {
    expect(assign(['a', 'a_2', 'a', 'a'], 'keep')).toEqual(['a', 'a_2', 'a_3', 'a_4']);
  });

  test('kimi: numbered over the whole conversation', () => {
    expect(assign(['a', 'a', 'b'], 'functions')).toEqual(['functions.Read:0', 'functions.Read:1', 'functions.Read:2']);
  });

  test('mistral: nine letters and digits, unique, the same on every run', () => {
    const ids = assign(['a', 'b', 'a'], 'nine');
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9]{9}$/);
    expect(assign(['a', 'b', 'a'], 'nine')).toEqual(ids);
  });
});
