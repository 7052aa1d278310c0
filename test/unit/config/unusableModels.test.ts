import { describe, expect, test } from 'vitest';
import { configOf, readLines } from '../../helpers/configText.ts';

const usual = ['PROVIDER=openai', 'OPENAI_API_KEY=own-key-0001'];
const own = [...usual, 'PROTOCOL=chat'];
const WHY = expect.stringContaining('which takes no tools on chat completions at any effort');
const FIX = 'Set PROTOCOL=responses, or name another model: gpt-6-sol, gpt-6.1-terra, gpt-6-luna.';

test('OpenAI works with its defaults', () => {
  expect(configOf(usual).tiers).toEqual({ big: 'gpt-6.1-sol', middle: 'gpt-6.1-terra', small: 'gpt-6-luna' });
  expect(readLines(usual).problems).toEqual([]);
});

test('OpenAI works with its defaults by chat completions', () => {
  expect(configOf(own).tiers).toEqual({ big: 'gpt-6-sol', middle: 'gpt-6.1-terra', small: 'gpt-6-luna' });
  expect(readLines(own).problems).toEqual([]);
});

test('a model that takes tools by the Responses API alone serves by that', () => {
  expect(readLines([...usual, 'BIG_MODEL=gpt-6-astra']).problems).toEqual([]);
  expect(readLines([...usual, 'PROTOCOL=responses', 'BIG_MODEL=gpt-6-astra']).problems).toEqual([]);
});

describe('a model that takes no tools by chat completions is refused with the reason, where it is named', () => {
  test.each(['gpt-6.1-sol', 'gpt-6-astra', 'openai/gpt-6.1-sol', 'gpt-6-astra[1m]'])('BIG_MODEL=%s', (model) => {
    const { config, problems } = readLines([...own, `BIG_MODEL=${model}`]);
    expect(config).toBeUndefined();
    expect(problems).toMatchObject([{ line: 4, key: 'BIG_MODEL', severity: 'error', found: WHY, fix: FIX }]);
  });

  test.each(['MIDDLE_MODEL', 'SMALL_MODEL', 'ROUTER_THINK', 'ROUTER_LONG_CONTEXT'])('%s', (setting) => {
    expect(readLines([...own, `${setting}=gpt-6-astra`]).problems).toMatchObject([
      { line: 4, key: setting, found: WHY },
    ]);
  });

  test('a model of the providers file', () => {
    const models = { big: ['gpt-6-sol', 'gpt-6.1-sol'] };
    const providers = JSON.stringify(
      [{ name: 'a', preset: 'openai', protocol: 'chat', api_key: 'own-key-0001', models }],
      undefined,
      1,
    );
    const { problems } = readLines(['PORT=8099'], { providers });
    expect(problems).toMatchObject([{ key: '[0].models.big[1]', severity: 'error', found: WHY }]);
  });

  test('a model of the models file, by the name that its server knows', () => {
    const models = '- model_id: mine\n  model_name: gpt-6-astra\n';
    expect(readLines(own, { models }).problems).toMatchObject([{ line: 2, found: WHY }]);
  });
});

test('another provider may have a model of this name', () => {
  const custom = ['PROVIDER=custom', 'OPENAI_BASE_URL=http://127.0.0.1:1/v1', 'BIG_MODEL=gpt-6.1-sol'];
  expect(readLines(custom).problems).toEqual([]);
});
