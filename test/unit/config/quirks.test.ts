import { describe, expect, test } from 'vitest';
import { modelSettings } from '../../../src/providers/preset.ts';
import { configOf, readLines } from '../../helpers/configText.ts';

const overridesOf = (line: string) => configOf(['PROVIDER=kimi', line]).provider.overrides;

describe('QUIRK_*', () => {
  test.each<[string, Record<string, unknown>]>([
    ['QUIRK_TOOL_ARGS=Buffer', { toolArgs: 'buffer' }],
    ['QUIRK_VISION=off', { vision: false }],
    ['QUIRK_STOP_MAX=3', { stopMax: 3 }],
    ['QUIRK_CONTEXT_WINDOW=128k', { contextWindow: 131_072 }],
    ['QUIRK_TEMPERATURE_MAX=1.5', { temperatureMax: 1.5 }],
    ['QUIRK_DROP_PARAMS=temperature, top_p', { dropParams: ['temperature', 'top_p'] }],
    ['QUIRK_DROP_PARAMS=none', { dropParams: [] }],
    ['QUIRK_EXTRA_BODY={"a":{"b":[1]}}', { extraBody: { a: { b: [1] } } }],
    ['QUIRK_EXTRA_BODY=none', { extraBody: undefined }],
    ['QUIRK_MAX_OUTPUT=none', { maxOutput: undefined }],
    ['QUIRK_DEFAULT_EFFORT=none', { defaultEffort: '' }],
    ['QUIRK_REASONING_STYLE=none', { reasoningStyle: 'none' }],
    ['QUIRK_TOOL_ARGS=', {}],
  ])('%s', (line, overrides) => {
    expect(overridesOf(line)).toStrictEqual(overrides);
  });

  test.each([
    ['QUIRK_TOOL_ARGS=sometimes', 'live, buffer'],
    ['QUIRK_VISION=maybe', 'true or false'],
    ['QUIRK_STOP_MAX=101', 'from 0 to 100'],
    ['QUIRK_STOP_MAX=none', 'from 0 to 100'],
    ['QUIRK_EXTRA_BODY=[1]', 'a JSON object'],
    ['QUIRK_EXTRA_BODY={a}', 'a JSON object'],
    ['QUIRK_TOOL_ARG=live', 'Did you mean QUIRK_TOOL_ARGS?'],
    ['QUIRK_XYZXYZXYZXYZXYZ=1', 'docs/ENVIRONMENT.md'],
  ])('%s is a problem of its line', (line, fix) => {
    const { problems } = readLines(['PROVIDER=kimi', line]);
    expect(problems).toMatchObject([{ line: 2, severity: 'error', fix: expect.stringContaining(fix) }]);
  });

  test('goes before what the preset and the model say', () => {
    const { provider } = configOf(['PROVIDER=kimi', 'QUIRK_THINKING_OFF=true', 'QUIRK_MAX_OUTPUT=none']);
    expect(modelSettings(provider, 'kimi-k3')).toMatchObject({
      thinkingOff: true,
      maxOutput: undefined,
      schema: 'mfjs',
    });
  });
});

describe('CUSTOM_HEADER_*', () => {
  const BASE = ['PROVIDER=kimi'];
  test('names are lower case with dashes, values are expanded', () => {
    const { headers } = configOf([
      ...BASE,
      'CUSTOM_HEADER_X_API_KEY=custom-key',
      'CUSTOM_HEADER_AUTHORIZATION="Bearer ${TOKEN}"',
      'CUSTOM_HEADER_user_agent=my-app/1.0',
      'CUSTOM_HEADER_EMPTY=',
      'TOKEN=abc',
    ]).provider;
    expect(headers).toEqual({ 'x-api-key': 'custom-key', authorization: 'Bearer abc', 'user-agent': 'my-app/1.0' });
  });

  test.each([
    'CUSTOM_HEADER_=x',
    'CUSTOM_HEADER_CONTENT_LENGTH=5',
    'CUSTOM_HEADER_HOST=x',
    'CUSTOM_HEADER_A="x\\ny"',
    'CUSTOM_HEADER_A=日本',
  ])('%s is refused', (line) => {
    expect(readLines([...BASE, line]).problems).toMatchObject([{ line: 2, severity: 'error' }]);
  });
});
