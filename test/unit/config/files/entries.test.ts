import { describe, expect, test } from 'vitest';
import { describeConfig } from '../../../../src/config/describe.ts';
import { modelSettings } from '../../../../src/providers/preset.ts';
import type { QuirkSettings } from '../../../../src/quirks/settings.ts';
import { configOf, problemsOf, readLines } from '../../../helpers/configText.ts';

const OWN = ['PROVIDER=openai', 'OPENAI_API_KEY=sk-openai-0001', 'CUSTOM_HEADER_X_OWN=1', 'QUIRK_TOP_K=true'];
const entry = (...fields: readonly string[]) => ['- model_id: a', ...fields.map((field) => `  ${field}`)].join('\n');
const problems = (...fields: readonly string[]) => problemsOf(OWN, { models: entry(...fields) });

function settingsOf(...fields: readonly string[]): QuirkSettings {
  const model = configOf(OWN, { models: entry(...fields) }).customModels.get('a');
  if (model === undefined) throw new Error('no model');
  return modelSettings(model.provider, model.model);
}

describe('fields of an entry', () => {
  test('limits', () => {
    expect(settingsOf('max_tokens: 8k', 'context: 200000', 'max_input_tokens: 1')).toMatchObject({
      maxOutput: 8192,
      contextWindow: 200_000,
    });
  });

  test('extra_body and temperature are merged last into the body', () => {
    expect(settingsOf('extra_body: {thinking: {type: auto}}', 'temperature: 0.5').extraBody).toEqual({
      temperature: 0.5,
      thinking: { type: 'auto' },
    });
  });

  test('extra_body stands beside that of the env file', () => {
    const lines = [...OWN, `QUIRK_EXTRA_BODY={"a":1,"b":1}`];
    const config = configOf(lines, { models: entry('extra_body: {b: 2}') });
    expect(config.customModels.get('a')?.provider.overrides.extraBody).toEqual({ a: 1, b: 2 });
  });

  test('reasoning_effort is the default and the most, and switches the field on', () => {
    expect(settingsOf('reasoning_effort: medium')).toMatchObject({
      reasoningStyle: 'effort',
      efforts: ['low', 'medium'],
      defaultEffort: 'medium',
    });
  });

  test('enable_thinking', () => {
    expect(settingsOf('enable_thinking: true').reasoningStyle).toBe('enable_thinking');
    expect(settingsOf('enable_thinking: false').extraBody).toBeUndefined();
    const qwen = ['api_base: https://dashscope-intl.aliyuncs.com/compatible-mode/v1', 'api_key_name: OPENAI_API_KEY'];
    expect(settingsOf(...qwen, 'enable_thinking: false').extraBody).toEqual({ enable_thinking: false });
  });

  test('quirks', () => {
    expect(settingsOf('quirks: {tool_choice: auto, top_k: false, drop_params: [user, seed]}')).toMatchObject({
      toolChoice: 'auto',
      topK: false,
      dropParams: ['user', 'seed'],
    });
    expect(problems('quirks:', '  tool_choise: auto', '  vision: perhaps')).toEqual([
      'error 3 [0].quirks.tool_choise',
      'error 4 [0].quirks.vision',
    ]);
  });

  test('prices', () => {
    const prices = (...fields: readonly string[]) =>
      configOf(OWN, { models: entry(...fields) }).customModels.get('a')?.prices;
    expect(prices('input_cost_per_token: 1e-6', 'output_cost_per_token: 2.7e-07')).toEqual({ input: 1, output: 0.27 });
    expect(prices('input_cost_per_million_tokens: 3', 'output_cost_per_million_tokens: 15')).toEqual({
      input: 3,
      output: 15,
    });
    expect(prices('input_cost_per_token: 1e-6')).toBeUndefined();
    expect(problems('input_cost_per_token: 1e-6')).toEqual(['warning 2 [0].input_cost_per_token']);
    expect(problems('input_cost_per_token: 0.27', 'output_cost_per_token: 1e-6')).toEqual([
      'error 2 [0].input_cost_per_token',
      'warning 3 [0].output_cost_per_token',
    ]);
    const both = ['input_cost_per_token: 1e-6', 'input_cost_per_million_tokens: 2', 'output_cost_per_token: 1e-6'];
    expect(problems(...both)).toEqual(['warning 2 [0].input_cost_per_token']);
  });

  test('headers and settings of the env file stay at the instance’s own server', () => {
    const header = 'extra_headers: {X-Title: "Bearer ${MY_TOKEN}"}';
    const other = ['api_base: https://api.example.com', 'api_key_name: OPENAI_API_KEY'];
    const lines = [...OWN, 'MY_TOKEN=token-of-mine-01'];
    const providerOf = (...fields: readonly string[]) =>
      configOf(lines, { models: entry(...fields) }).customModels.get('a')?.provider;
    expect(providerOf(header)).toMatchObject({
      headers: { 'x-own': '1', 'x-title': 'Bearer token-of-mine-01' },
      overrides: { topK: true },
    });
    const elsewhere = providerOf(header, ...other);
    expect(elsewhere?.headers).toEqual({ 'x-title': 'Bearer token-of-mine-01' });
    expect(elsewhere?.overrides).toEqual({});
  });

  test.each(['Host: example', '"x y": 1', 'x: "a\\nb"'])('the header {%s} is refused', (header) => {
    expect(problems('extra_headers:', `  ${header}`)[0]).toMatch(/^error 3 \[0\]\.extra_headers\./);
  });
});

describe('what is wrong in a models file is reported with its path and line', () => {
  test.each<[string, readonly string[], string]>([
    ['an address', ['api_base: example.com'], 'error 2 [0].api_base'],
    ['a number', ['max_tokens: many'], 'error 2 [0].max_tokens'],
    ['a word', ['can_stream: perhaps'], 'error 2 [0].can_stream'],
    ['a list', ['model_name: [b]'], 'error 2 [0].model_name'],
    ['no mapping', ['extra_body: text'], 'error 2 [0].extra_body'],
    ['an effort', ['reasoning_effort: huge'], 'error 2 [0].reasoning_effort'],
    ['a reference', ['model_name: "${}"'], 'error 2 [0].model_name'],
    ['a field that nobody knows', ['', 'can_streem: true'], 'warning 3 [0].can_streem'],
  ])('%s', (_what, fields, problem) => {
    expect(problems(...fields)[0]).toBe(problem);
  });

  test('a key in place of a variable’s name is not shown', () => {
    const { problems: found } = readLines(OWN, { models: entry('api_key_name: sk-proj-abcdef') });
    expect(found).toMatchObject([{ line: 2, found: 'a value of 14 characters (not shown)' }]);
  });

  test.each<[string, string, string, ...string[]]>([
    ['broken YAML', '- model_id: a\n  b: [\n', 'error 3 file'],
    ['a doubled field', '- model_id: a\n  model_id: b\n', 'error 2 file'],
    ['an alias without anchor', '- model_id: *nobody\n', 'error - file'],
    ['a text', 'hello', 'error - models'],
    ['a mapping without models', 'model: []', 'warning 1 model', 'error - models'],
    ['an entry that is a text', '- a\n', 'error 1 [0]'],
    ['an entry without a name', 'models:\n  - max_tokens: 5\n', 'error 2 models[0].model_id'],
    ['a name with blanks', '- model_id: a b\n', 'error 1 [0].model_id'],
    ['one name twice', '- model_id: a\n- model_id: custom/A\n', 'error 2 [1].model_id'],
  ])('%s', (_what, models, problem, ...rest) => {
    expect(problemsOf(OWN, { models })).toEqual([problem, ...rest]);
  });

  test('the parser’s words never show the file', () => {
    const { problems: found } = readLines(OWN, { models: '- model_id: a\n  b: "Bearer canary" canary\n' });
    expect(found).toMatchObject([{ line: 2, severity: 'error' }]);
    expect(JSON.stringify(found)).not.toContain('canary');
  });

  test('a variable that is not set leaves the model out, with a warning', () => {
    const { config, problems: found } = readLines(OWN, { models: entry('extra_headers:', '  x-a: "${NOBODY}"') });
    expect(config?.customModels.size).toBe(0);
    expect(found).toMatchObject([{ line: 2, severity: 'warning', found: expect.stringContaining('NOBODY') }]);
    expect(problems('api_base: ${NOBODY}', 'max_tokens: many')).toEqual([
      'warning 2 [0].api_base',
      'error 3 [0].max_tokens',
    ]);
  });

  test('an entry without an address, where the instance has none', () => {
    expect(problemsOf(['PROVIDER=custom', 'BIG_MODEL=b'], { models: entry() })).toContain('error - OPENAI_BASE_URL');
  });
});

describe('names that a models file uses', () => {
  const models = entry('api_base: ${BASE_OF_MINE}', 'api_key_name: DEEPSEEK_API_KEY');
  const lines = ['BASE_OF_MINE=https://api.example.com', 'DEEPSEEK_API_KEY=key-of-mine-0001'];

  test('are no strangers in the env file', () => {
    expect(problemsOf([...OWN, ...lines], { models })).toEqual([]);
  });

  test('may come from the environment', () => {
    const environment = { BASE_OF_MINE: 'https://api.example.com', DEEPSEEK_API_KEY: 'key-of-mine-0001' };
    const key = configOf(OWN, { models, environment }).customModels.get('a')?.provider.key;
    expect(key).toMatchObject({ source: 'environment', variable: 'DEEPSEEK_API_KEY' });
  });

  test('do not imply the instance’s own provider', () => {
    expect(configOf(['OPENAI_API_KEY=sk-openai-0001', ...lines], { models }).provider.preset.name).toBe('openai');
  });
});

describe('the configuration', () => {
  const models = (limit: number) =>
    entry('api_base: https://api.example.com', 'api_key_name: MY_KEY', `max_tokens: ${limit}`);
  const lines = [...OWN, 'MY_KEY=canary-of-mine-01'];

  test('its hash changes with a model and with a model’s key', () => {
    const hash = (text: string, own = lines) => configOf(own, { models: text }).hash;
    expect(hash(models(1))).toBe(hash(`# the same\n${models(1)}`));
    expect(hash(models(1))).not.toBe(hash(models(2)));
    expect(hash(models(1))).not.toBe(hash(models(1), [...OWN, 'MY_KEY=canary-of-mine-02']));
  });

  test('holds the models’ keys among its secrets and masks them', () => {
    const config = configOf(lines, { models: models(1) });
    expect(config.secrets.map((secret) => secret.reveal())).toContain('canary-of-mine-01');
    const text = describeConfig(config).join('\n');
    expect(text).toContain('custom/a: a at https://api.example.com, key MY_KEY in the env file, ****e-01');
    expect(text).toContain('models file    envs/models.yaml');
    expect(text).not.toContain('canary');
  });
});
