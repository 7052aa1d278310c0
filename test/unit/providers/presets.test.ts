import { describe, expect, test } from 'vitest';
import { defaultPreset, findPreset, findSibling, guessPreset, presets } from '../../../src/providers/index.ts';
import type { Preset } from '../../../src/providers/preset.ts';
import { type QuirkRow, quirkTable } from '../../../src/quirks/settings.ts';
import { presetNamed, presetSettings } from '../../helpers/presetSettings.ts';

const rows: Readonly<Record<string, QuirkRow>> = quirkTable;

function isValid(name: string, value: unknown): boolean {
  const row = rows[name];
  switch (row?.kind) {
    case 'choice':
      return row.values.some((one) => one === value);
    case 'flag':
      return typeof value === 'boolean';
    case 'number':
    case 'optionalNumber':
      return typeof value === 'number' && value >= row.minimum && value <= row.maximum;
    case 'list':
      return Array.isArray(value) && value.every((word) => typeof word === 'string');
    case 'json':
      return typeof value === 'object' && value !== null;
    case undefined:
      return false;
  }
}

const wrongQuirks = (quirks: object) => Object.entries(quirks).filter(([name, value]) => !isValid(name, value));

describe.each(presets.map((preset): [string, Preset] => [preset.name, preset]))('preset %s', (_name, preset) => {
  test('has quirks that exist, with values that they take', () => {
    expect(wrongQuirks(preset.quirks)).toEqual([]);
    expect(Object.values(preset.models).flatMap((facts) => wrongQuirks(facts.quirks ?? {}))).toEqual([]);
  });

  test('has tiers that are among its models', () => {
    const unknown = Object.values(preset.tiers ?? {}).filter((model) => !(model in preset.models));
    expect(unknown).toEqual([]);
  });

  test('has addresses without a trailing slash or endpoint, on hosts by which it is recognised', () => {
    const endpoint = preset.protocol === 'anthropic' ? 'v1/messages' : 'chat/completions';
    const addresses = [preset.baseUrl, ...Object.values(preset.regions ?? {})].filter((address) => address !== '');
    for (const address of addresses) {
      expect(address).toMatch(/^(?:https:\/\/|http:\/\/localhost:)[^?#]*[^/?#]$/);
      expect(address).not.toContain(endpoint);
      if (preset.hosts.length > 0) expect(guessPreset(address)).toBe(preset);
      else expect(guessPreset(address)).not.toBe(preset);
    }
  });

  test('has limits and prices that make sense', () => {
    for (const { contextWindow = 1, maxOutput = 1, prices } of Object.values(preset.models)) {
      expect(maxOutput).toBeLessThanOrEqual(contextWindow);
      if (prices === undefined) continue;
      expect(prices.output).toBeGreaterThanOrEqual(prices.input);
      expect(prices.cacheRead ?? 0).toBeLessThanOrEqual(prices.input);
    }
  });

  test('says when it was checked', () => {
    expect(preset.checked).toMatch(/^20\d\d-\d\d-\d\d$/);
  });
});

test('names, ports and hosts are each of one preset', () => {
  for (const pick of [
    (preset: Preset) => [preset.name, ...(preset.otherNames ?? [])],
    (preset: Preset) => (preset.port === undefined ? [] : [preset.port]),
    (preset: Preset) => preset.hosts,
  ]) {
    const all = presets.flatMap((preset): readonly (string | number)[] => pick(preset));
    expect(new Set(all).size).toBe(all.length);
  }
});

test('the mission’s ports', () => {
  const ports = Object.fromEntries(presets.flatMap(({ name, port }) => (port === undefined ? [] : [[name, port]])));
  expect(ports).toEqual({ kimi: 8081, glm: 8082, minimax: 8083, gemini: 8084, demo: 8080 });
});

test('a preset is found by any of its names, in any case', () => {
  expect(findPreset('Kimi')?.name).toBe('kimi');
  expect(findPreset('GOOGLE')?.name).toBe('gemini');
  expect(findPreset('')).toBeUndefined();
  expect(defaultPreset.name).toBe('openai');
});

test('an address of nobody is custom', () => {
  for (const address of ['http://localhost:11434/v1', 'not an address', 'https://api.moonshot.ai.evil.example/v1'])
    expect(guessPreset(address).name).toBe('custom');
});

describe('native endpoints', () => {
  test.each(['kimi', 'kimi-coding', 'glm', 'minimax', 'deepseek', 'qwen', 'openrouter'])(
    '%s has one beside',
    (name) => {
      const chat = presetNamed(name);
      const native = findSibling(chat, 'anthropic');
      expect(native).toMatchObject({ name: `${name}-anthropic`, protocol: 'anthropic', tiers: chat.tiers });
      expect(native?.keyNames).toEqual(chat.keyNames);
      expect(Object.keys(native?.models ?? {})).toEqual(Object.keys(chat.models));
      expect(native && findSibling(native, 'chat')).toBe(chat);
      for (const [model, { contextWindow, prices }] of Object.entries(chat.models))
        expect(native?.models[model]).toMatchObject({
          ...(contextWindow && { contextWindow }),
          ...(prices && { prices }),
        });
    },
  );

  test.each([
    ['https://api.moonshot.ai/anthropic', 'kimi-anthropic'],
    ['https://api.moonshot.ai/anthropic/v1', 'kimi-anthropic'],
    ['https://api.moonshot.ai/v1', 'kimi'],
    ['https://api.z.ai/api/anthropic', 'glm-anthropic'],
    ['https://api.z.ai/api/coding/paas/v4', 'glm-coding'],
    ['https://api.anthropic.com', 'anthropic'],
    ['https://openrouter.ai/api/v1', 'openrouter'],
  ])('%s is %s', (address, name) => {
    expect(guessPreset(address).name).toBe(name);
  });

  test.each([
    ['kimi-anthropic', 'kimi-k3', { dropParams: ['thinking'] }],
    ['kimi-anthropic', 'kimi-k2.6', { dropParams: [], contextWindow: 262_144, schema: 'openai' }],
    ['kimi-coding-anthropic', 'k3', { dropBetas: ['interleaved-thinking'] }],
    ['minimax-anthropic', 'MiniMax-M3', { unwrapToolInput: true, extraBody: undefined }],
    ['deepseek-anthropic', 'deepseek-flash', { effortNeedsThinking: true, reasoningRequired: 'empty' }],
    ['ollama-anthropic', 'any', { dropParams: ['tool_choice'], dropCacheControl: true }],
    ['anthropic', 'claude-opus-5', { dropParams: [], dropBetas: [], unwrapToolInput: false }],
  ])('the repairs of %s, %s', (name, model, expected) => {
    expect(presetSettings(name, model)).toMatchObject(expected);
  });

  test('R648 the Responses API may be silent for a quarter of an hour', () => {
    expect(presetSettings('openai', 'gpt-6.1-sol').idleTimeoutMs).toBe(900_000);
    expect(presetSettings('openai', 'gpt-4.1').idleTimeoutMs).toBe(360_000);
  });

  test('openai, gpt-6.1-sol by chat completions', () => {
    expect(presetSettings('openai', 'gpt-6.1-sol', {}, 'chat')).toMatchObject({
      effortWithTools: 'none',
      maxTokensField: 'max_completion_tokens',
    });
  });
});

describe('what the vendors’ documents say', () => {
  test.each([
    [
      'kimi',
      'kimi-k3',
      { efforts: ['low', 'high', 'max'], thinkingOff: false, thinkingKeep: 'keep_all', clampOutput: true },
    ],
    ['kimi', 'kimi-k2.6', { efforts: [], thinkingOff: true, maxOutput: 32_768, contextWindow: 262_144 }],
    ['kimi', 'kimi-of-tomorrow', { efforts: [], thinkingOff: false, thinkingKeep: 'none', schema: 'mfjs' }],
    ['glm', 'glm-5.3', { vision: false, toolChoice: 'auto', thinkingKeep: 'clear_false', content: 'string' }],
    ['glm', 'glm-5.3-flash', { vision: true, streamBody: { tool_stream: true } }],
    [
      'minimax',
      'MiniMax-M3',
      { thinkingOff: true, thinkingOn: 'adaptive', efforts: [], reasoningReplay: 'reasoning_details' },
    ],
    [
      'minimax',
      'MiniMax-M3.1-Flash',
      { thinkingOff: false, defaultEffort: 'high', extraBody: { reasoning_split: true } },
    ],
    ['gemini', 'gemini-4-argon', { dropParams: ['temperature', 'top_p'], schema: 'openapi', toolResultName: true }],
    ['gemini', 'gemini-3.1-flash-lite', { dropParams: [], prefill: 'user' }],
    ['openai', 'gpt-6.1-sol', { effortWithTools: 'send', reasoningReplay: 'encrypted', phase: true }],
    ['openai', 'gpt-4o', { reasoningStyle: 'none', maxOutput: 16_384, dropParams: [] }],
  ])('%s, %s', (name, model, expected) => {
    expect(presetSettings(name, model)).toMatchObject(expected);
  });
});
