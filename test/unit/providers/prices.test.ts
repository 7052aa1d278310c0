import { describe, expect, test } from 'vitest';
import { presets } from '../../../src/providers/index.ts';
import { modelSettings, type Preset, protocolOf } from '../../../src/providers/preset.ts';
import { costOf } from '../../../src/telemetry/usage/cost.ts';
import { presetNamed } from '../../helpers/presetSettings.ts';

const NOTHING = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
const MILLION = 1_000_000;

/** What a million tokens cost, each kind for itself, so that the length of the input is that of one kind alone. */
function perMillion(preset: string, model: string, time: string, tokens = 100_000): readonly (number | undefined)[] {
  const prices = presetNamed(preset).models[model]?.prices;
  return (['input', 'output', 'cacheRead', 'cacheWrite'] as const).map((kind) => {
    const cost = costOf({ ...NOTHING, [kind]: tokens }, prices, Date.parse(time));
    return cost === undefined ? undefined : Number(((cost * MILLION) / tokens).toPrecision(9));
  });
}

const SUNDAY = '2026-11-29T12:00:00Z';

describe('prices on a day, in dollars per million: input, output, read from the cache, written to it', () => {
  test.each<readonly [string, string, string, string, number, readonly (number | undefined)[]]>([
    ['ordinary', 'openai', 'gpt-6-sol', SUNDAY, 100_000, [2, 10, 0.2, 2.5]],
    ['at the step', 'openai', 'gpt-6.1-terra', SUNDAY, 272_000, [1, 5, 0.05, 1.25]],
    ['above the step', 'openai', 'gpt-6.1-terra', SUNDAY, 272_001, [2, 5, 0.1, 2.5]],
    ['of the smallest', 'openai', 'gpt-6-luna', SUNDAY, 100_000, [0.1, 0.5, 0.01, 0.125]],
    ['of one that cannot serve', 'openai', 'gpt-6.1-sol', SUNDAY, 1000, [2, 10, 0.1, 2.5]],
    ['of the largest', 'openai', 'gpt-6-astra', SUNDAY, 1000, [10, 50, 1, 12.5]],
    ['before the change', 'gemini', 'gemini-4-argon', '2026-11-30T23:00:00Z', 1000, [2, 10, 0.1, undefined]],
    ['after the change', 'gemini', 'gemini-4-argon', '2026-12-01T00:00:00Z', 1000, [4, 20, 0.2, undefined]],
    ['of its sibling', 'gemini', 'gemini-4-carbon', '2026-12-01T00:00:00Z', 1000, [4, 20, 0.2, undefined]],
    ['of one without a change', 'gemini', 'gemini-4-neon', '2027-01-01T00:00:00Z', 1000, [3, 15, 0.15, undefined]],
    ['of another', 'gemini', 'gemini-4-hydrogen', '2027-01-01T00:00:00Z', 1000, [1.5, 7.5, 0.075, undefined]],
    ['of the old year', 'gemini', 'gemini-3.8-flash', '2026-12-31T23:00:00Z', 1000, [0.75, 3.75, 0.075, undefined]],
    ['of the new year', 'gemini', 'gemini-3.8-flash', '2027-01-01T00:00:00Z', 1000, [1.5, 7.5, 0.15, undefined]],
    ['off-peak', 'deepseek', 'deepseek-v4-pro', '2026-11-30T04:00:00Z', 1000, [0.66, 1.98, 0.022, undefined]],
    ['at peak', 'deepseek', 'deepseek-v4-pro', '2026-11-30T03:00:00Z', 1000, [1.32, 3.96, 0.044, undefined]],
    ['at the weekend', 'deepseek', 'deepseek-flash', '2026-11-29T03:00:00Z', 1000, [0.15, 0.6, 0.003, undefined]],
    ['natively', 'deepseek-anthropic', 'deepseek-flash', '2026-11-30T09:59:00Z', 1000, [0.3, 1.2, 0.006, undefined]],
    ['short', 'anthropic', 'claude-haiku-5-5', SUNDAY, 100_000, [0.1, 0.5, 0.01, 0.125]],
    ['long', 'anthropic', 'claude-haiku-5-5', SUNDAY, 100_001, [0.5, 0.5, 0.05, 0.625]],
    ['of Opus', 'anthropic', 'claude-opus-5-5', SUNDAY, 500_000, [4, 20, 0.2, 5]],
    ['before the cut', 'anthropic', 'claude-sonnet-5-5', '2026-10-06T12:00:00Z', 1000, [2, 10, 0.2, 2.5]],
    ['after the cut', 'anthropic', 'claude-sonnet-5-5', SUNDAY, 1000, [2, 10, 0.1, 2.5]],
    ['short', 'xai', 'grok-4.7', SUNDAY, 199_999, [2, 6, 0.5, undefined]],
    ['long', 'xai', 'grok-4.7', SUNDAY, 200_000, [4, 6, 1, undefined]],
    ['long', 'minimax', 'MiniMax-M3', SUNDAY, 600_000, [0.6, 1.2, 0.12, undefined]],
    ['ordinary', 'qwen', 'qwen3.8-flash', SUNDAY, 1000, [0.15, 0.47, undefined, undefined]],
  ])('%s: %s %s on %s with %d tokens', (_what, preset, model, time, tokens, expected) => {
    expect(perMillion(preset, model, time, tokens)).toEqual(expected);
  });

  test('output costs more as well where the input is long', () => {
    const long = { ...NOTHING, input: 300_000, output: MILLION };
    expect(costOf(long, presetNamed('openai').models['gpt-6.1-terra']?.prices)).toBeCloseTo(0.6 + 7.5, 9);
    expect(costOf(long, presetNamed('anthropic').models['claude-haiku-5-5']?.prices)).toBeCloseTo(0.15 + 2.5, 9);
  });

  test('a request with a cache: 2,000 read, 6,000 written, 2,000 beside them, 1,000 out', () => {
    const tokens = { input: 2000, cacheRead: 2000, cacheWrite: 6000, output: 1000 };
    expect(costOf(tokens, presetNamed('openai').models['gpt-6.1-terra']?.prices)).toBeCloseTo(0.0146, 9);
  });

  test('what is read from the cache counts for the length, too', () => {
    const tokens = { ...NOTHING, input: 1000, cacheRead: 100_000 };
    const prices = presetNamed('anthropic').models['claude-haiku-5-5']?.prices;
    expect(costOf(tokens, prices)).toBeCloseTo((1000 * 0.5 + 100_000 * 0.05) / MILLION, 12);
  });
});

describe('the models of the tiers', () => {
  const named = presets.filter(
    (preset): preset is Preset & Required<Pick<Preset, 'tiers'>> => preset.tiers !== undefined,
  );

  test.each(named.map((preset) => [preset.name, preset] as const))('of %s take tools', (_name, preset) => {
    for (const model of Object.values(preset.tiers)) {
      const server = { preset, overrides: {} };
      if (protocolOf(server, model) !== 'responses') expect(preset.models[model]?.unusable).toBeUndefined();
      const settings = modelSettings(server, model);
      // Where an effort is refused beside tools, the model must know one that is none.
      if (settings.effortWithTools === 'none') expect(settings.efforts).toContain('none');
    }
  });

  test.each(named.filter(({ protocol }) => protocol !== 'demo').map((preset) => [preset.name, preset] as const))(
    'of %s have their window and output',
    (_name, preset) => {
      for (const model of Object.values(preset.tiers))
        expect(preset.models[model]).toMatchObject({
          contextWindow: expect.any(Number),
          maxOutput: expect.any(Number),
        });
    },
  );

  test.each([
    ['openai', 'gpt-6-sol', ['none', 'low', 'medium', 'high', 'xhigh', 'max']],
    ['openai', 'gpt-6.1-terra', ['none', 'low', 'medium', 'high', 'xhigh', 'max']],
    ['openai', 'gpt-6.1-sol', ['low', 'medium', 'high', 'xhigh', 'max']],
    ['openai', 'gpt-6-astra', ['low', 'medium', 'high', 'xhigh', 'max']],
    ['openai', 'gpt-5.6-luna', ['none', 'low', 'medium', 'high', 'xhigh', 'max']],
    ['openai', 'gpt-5.4', ['none', 'low', 'medium', 'high', 'xhigh']],
    ['openai', 'gpt-5.1', ['none', 'low', 'medium', 'high']],
    ['openai', 'gpt-5-mini', ['minimal', 'low', 'medium', 'high']],
    ['openai', 'o3', ['low', 'medium', 'high']],
    ['xai', 'grok-4.7', ['low', 'medium', 'high', 'xhigh']],
    ['glm', 'glm-5.4', ['low', 'high', 'max']],
    ['gemini', 'gemini-4-argon', ['low', 'medium', 'high']],
    ['gemini', 'gemini-4-carbon', ['low', 'medium', 'high']],
    ['gemini', 'gemini-4-hydrogen', ['low', 'medium', 'high', 'xhigh']],
    ['kimi-coding', 'k3.1-pro', ['low', 'high', 'max']],
  ])('%s: %s takes the efforts %j', (name, model, efforts) => {
    expect(modelSettings({ preset: presetNamed(name), overrides: {} }, model).efforts).toEqual(efforts);
  });

  test.each([
    ['gpt-6-sol', ['none', 'low', 'medium', 'high', 'xhigh']],
    ['gpt-6-astra', ['low', 'medium', 'high', 'xhigh']],
  ])('openai: %s takes the efforts %j by chat completions', (model, efforts) => {
    const server = { preset: presetNamed('openai'), protocol: 'chat', overrides: {} } as const;
    expect(modelSettings(server, model).efforts).toEqual(efforts);
  });

  test.each(['openai', 'azure', 'kimi', 'kimi-coding', 'groq', 'mistral'])('%s takes at most 128 tools', (name) => {
    expect(modelSettings({ preset: presetNamed(name), overrides: {} }, 'any')).toMatchObject({ toolsMax: 128 });
  });
});
