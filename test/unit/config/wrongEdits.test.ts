import { describe, expect, test } from 'vitest';
import { describeConfig } from '../../../src/config/describe.ts';
import { formatProblemLine, formatProblems } from '../../../src/config/diagnostics.ts';
import { settingNames } from '../../../src/config/env/settings.ts';
import { type ConfigOptions, readLines } from '../../helpers/configText.ts';

/** Keys in the forms of several vendors, at a place where none belongs. */
const KEYS = {
  prefixed: 'sk-proj-Zx81QmT0vL5bR7wYk3Nc',
  hexadecimal: '0f9e8d7c6b5a49382716f5e4d3c2b1a0',
  'with a dot': '7b1d9e0c4a5f4e63b8aa01f2c3d4e5f6.Qm81ZxTt0vL5bR7w',
  uuid: '9f1c2d3e-4b5a-4c6d-8e7f-0a1b2c3d4e5f',
};

type Mistake = readonly [what: string, lines: readonly string[], options?: ConfigOptions];

const own = ['PROVIDER=kimi', 'OPENAI_API_KEY=own-key-0001'];
const beside = (line: string): readonly string[] => [...own, line];
const provider = (fields: object): ConfigOptions => ({
  providers: JSON.stringify({ providers: [{ name: 'a', preset: 'kimi', api_key: 'own-key-0001', ...fields }] }),
});
const model = (...fields: readonly string[]): ConfigOptions => ({
  models: ['- model_id: mine', '  api_base: http://127.0.0.1:1/v1', ...fields.map((field) => `  ${field}`)].join('\n'),
});

/** What an edit may do to a key: written into another setting, cut, quoted wrongly, or put into a file where a name belongs. */
const mistakesWith = (key: string): readonly Mistake[] => [
  ...settingNames
    .filter((name) => name !== 'OPENAI_API_KEY' && name !== 'ANTHROPIC_API_KEY' && name !== 'PROVIDER')
    .map((name): Mistake => [`${name} is the key`, beside(`${name}=${key}`)]),
  ['PROVIDER is the key', [`PROVIDER=${key}`]],
  ['the query of the address', beside(`OPENAI_BASE_URL=https://host.example/v1?api-key=${key}`)],
  ['the fragment of the address', beside(`OPENAI_BASE_URL=https://host.example/v1#${key}`)],
  ['the user of the address', beside(`OPENAI_BASE_URL=https://${key}@host.example/v1`)],
  ['the password of the address', beside(`OPENAI_BASE_URL=https://me:${key}@host.example/v1`)],
  ['the path of an address without a scheme', beside(`OPENAI_BASE_URL=host.example/${key}`)],
  ['the query of an address with a wrong scheme', beside(`OPENAI_BASE_URL=htps://host.example/v1?k=${key}`)],
  ['the password of the network proxy', beside(`HTTPS_PROXY=ftp://me:${key}@host.example`)],
  ['a broken body', beside(`QUIRK_EXTRA_BODY={"user": "${key}"`)],
  ['a broken body in quotes', beside(`QUIRK_EXTRA_BODY='{"token": "${key}",}'`)],
  ['a body that is a list', beside(`QUIRK_STREAM_BODY=["${key}"]`)],
  ['a body that is the key', beside(`QUIRK_EXTRA_BODY=${key}`)],
  ['a valid body', beside(`QUIRK_EXTRA_BODY={"user": "${key}", "deep": {"list": ["${key}"]}}`)],
  ['a quirk that is the key', beside(`QUIRK_TOOL_CHOICE=${key}`)],
  ['a number that is the key', beside(`QUIRK_MAX_OUTPUT=${key}`)],
  ['a switch with a body', beside(`QUIRK_VISION={"a": "${key}"}`)],
  ['a quirk whose name is the key', beside(`QUIRK_${key}=1`)],
  ['a file name that is the key', ['PROVIDER=kimi', `OPENAI_API_KEY_FILE=${key}`]],
  ['a file name that is the client token', beside(`ANTHROPIC_API_KEY_FILE=${key}`)],
  ['a file name of the provider that is the key', ['PROVIDER=kimi', `KIMI_API_KEY_FILE=${key}`]],
  ['a path that ends in the key', ['PROVIDER=kimi', `OPENAI_API_KEY_FILE=/run/${key}`]],
  ['a reference that is the key', ['PROVIDER=kimi', `OPENAI_API_KEY=\${${key}}`]],
  ['a reference that does not end', ['PROVIDER=kimi', `OPENAI_API_KEY=\${${key}`]],
  ['a line that is the key', beside(key)],
  ['a line that is the key and an equals sign', beside(`${key}=`)],
  ['a name that is the key', beside(`${key}=1`)],
  ['a key with a blank in it', ['PROVIDER=kimi', `OPENAI_API_KEY=${key} and more`]],
  ['a key in quotes that do not close', ['PROVIDER=kimi', `OPENAI_API_KEY="${key}`]],
  ['a key with a hash in it', ['PROVIDER=kimi', `OPENAI_API_KEY=${key}#more`]],
  ['a key on two lines', ['PROVIDER=kimi', 'OPENAI_API_KEY=', key]],
  ['a key with letters beyond Latin-1', ['PROVIDER=kimi', `OPENAI_API_KEY=${key}ü€`]],
  ['two keys that differ', ['PROVIDER=kimi', `OPENAI_API_KEY=${key}`, `KIMI_API_KEY=${key}x`]],
  ['a key twice', ['PROVIDER=kimi', 'OPENAI_API_KEY=x-key-0001', `OPENAI_API_KEY=${key}`]],
  ['the header’s value', beside(`CUSTOM_HEADER_X_KEY=${key}ü€`)],
  ['the header’s name', beside(`CUSTOM_HEADER_${key}(=1`)],
  ['a big model of a provider that is the key', beside(`BIG_MODEL=${key},model`)],
  ['a big model with the key behind a slash', beside(`BIG_MODEL=openai/${key}`)],
  ['a custom model that is the key', beside(`BIG_MODEL=custom/${key}`)],
  ['a route to the key', beside(`ROUTER_THINK=nobody,${key}`)],
  ['a host with the key', beside(`HOST=${key}.example`)],
  ['a region that is an assignment', beside(`REGION=OPENAI_API_KEY=${key}`)],
  ['the key of a provider in the file is a reference', ['X=1'], provider({ api_key: `\${${key}}` })],
  ['one of several keys is a reference', ['X=1'], provider({ api_keys: [`\${${key}}`] })],
  ['a provider’s keys are a mapping', ['X=1'], provider({ api_keys: { a: key } })],
  ['a provider’s key has a line break', ['X=1'], provider({ api_key: `${key}\nx` })],
  ['a provider’s name is the key', ['X=1'], provider({ name: `${key},` })],
  ['a provider’s preset is the key', ['X=1'], provider({ preset: key })],
  ['a provider’s address has the key', ['X=1'], provider({ base_url: `https://host.example/?key=${key}` })],
  ['a provider’s region is the key', ['X=1'], provider({ region: key })],
  ['a provider’s priority is the key', ['X=1'], provider({ priority: key })],
  ['a provider’s header is wrong', ['X=1'], provider({ custom_headers: { [`${key}(`]: 'x', a: `${key}ü€` } })],
  ['a provider’s quirk is the key', ['X=1'], provider({ quirks: { tool_choice: key } })],
  ['a provider’s body is broken', ['X=1'], provider({ quirks: { extra_body: `{"a": "${key}"` } })],
  ['a provider’s body is a list', ['X=1'], provider({ quirks: { extra_body: [key] } })],
  ['a provider’s field is the key', ['X=1'], provider({ [key]: true })],
  ['a provider that is the key', ['X=1'], { providers: JSON.stringify({ providers: [key] }) }],
  ['a providers file that is the key', ['X=1'], { providers: key }],
  ['a providers file that is broken', ['X=1'], { providers: `{"providers": [{"api_key": "${key}]}` }],
  ['two providers of one name', ['X=1'], { providers: JSON.stringify([{ name: key }, { name: key }]) }],
  ['a model’s id with a blank', own, { models: `- model_id: ${key} x` }],
  ['two models of one id', own, { models: `- model_id: ${key}\n- model_id: ${key}` }],
  ['a model’s key in place of its variable', own, model(`api_key_name: ${key}`)],
  ['a model’s variable is the key in lower case', own, model(`api_key_name: k${key.replaceAll(/\W/g, '_')}`)],
  ['a model’s address has the key', own, { models: `- model_id: m\n  api_base: https://h.example/?k=${key}` }],
  ['a model’s limit is the key', own, model(`max_tokens: ${key}`)],
  ['a model’s price is the key', own, model(`input_cost_per_token: ${key}`)],
  ['a model’s effort is the key', own, model(`reasoning_effort: ${key}`)],
  ['a model’s header is wrong', own, model('extra_headers:', `  x-key: "${key}ü€"`)],
  ['a model’s valid body', own, model('extra_body:', `  token: ${key}`)],
  ['a model’s body is the key', own, model(`extra_body: ${key}`)],
  ['a model’s field is the key', own, model(`${key}: 1`)],
  ['a model’s reference is the key', own, model(`model_name: \${${key}}`)],
  ['a models file that is the key', own, { models: key }],
];

/** Parts of a key that are long enough to help whoever sees them. */
function partsOf(key: string): readonly string[] {
  return Array.from({ length: key.length - 9 }, (_, start) => key.slice(start, start + 10));
}

describe.each(Object.entries(KEYS))('a key (%s) at the wrong place is shown nowhere', (_form, key) => {
  const mistakes = mistakesWith(key).map(([what, lines, options = {}]) => ({ what, lines, options }));
  test.each(mistakes)('$what', ({ lines, options }) => {
    const { config, problems } = readLines(lines, options);
    const shown = [
      JSON.stringify(problems),
      formatProblems(problems),
      ...problems.map(formatProblemLine),
      ...(config === undefined ? [] : describeConfig(config)),
    ].join('\n');
    expect(partsOf(key).filter((part) => shown.toLowerCase().includes(part.toLowerCase()))).toEqual([]);
    // Each problem says where it is and what to do all the same.
    for (const { key: name, found, fix } of problems)
      expect([name, found, fix].every((text) => text !== '')).toBe(true);
  });
});

/** Where no part of a value is shown, whatever it looks like, since its kind says that it may be a secret. */
describe('a password that looks like any word is not shown either', () => {
  const word = 'hunter-meadow';
  test.each([
    ['as the file with the key', ['PROVIDER=kimi', `OPENAI_API_KEY_FILE=${word}`]],
    ['as the file with the token', beside(`ANTHROPIC_API_KEY_FILE=${word}`)],
    ['in a query', beside(`OPENAI_BASE_URL=https://host.example/v1?k=${word}`)],
    ['in an address before the host', beside(`OPENAI_BASE_URL=https://me:${word}@host.example/v1`)],
    ['in a broken body', beside(`QUIRK_EXTRA_BODY="${word}`)],
    ['as a body', beside(`QUIRK_STREAM_BODY=${word}`)],
    ['in a body where another value belongs', beside(`QUIRK_VISION={"x": "${word}"}`)],
    ['in a valid body', beside(`QUIRK_EXTRA_BODY={"x": "${word}"}`)],
    ['in a list', beside(`PORT=["${word}"]`)],
    ['behind the name of a key', beside(`REGION=api_key: ${word}`)],
    ['in a header', beside(`CUSTOM_HEADER_X=${word}€`)],
    ['as the key', ['PROVIDER=kimi', `OPENAI_API_KEY=${word} €`]],
  ])('%s', (_what, lines) => {
    const { config, problems } = readLines(lines);
    const shown = [JSON.stringify(problems), ...(config === undefined ? [] : describeConfig(config))].join('\n');
    expect(shown).not.toContain(word);
  });
});

test('there are mistakes of more than 76 kinds', () => {
  expect(mistakesWith('x').length).toBeGreaterThan(76);
});

test('what is no key is shown, as it helps to find the mistake', () => {
  const found = (lines: readonly string[], options?: ConfigOptions) =>
    readLines(lines, options).problems.map((problem) => problem.found);
  expect(found(beside('PORT=80x'))).toEqual(['"80x"']);
  expect(found(beside('OPENAI_BASE_URL=localhost:8000/v1'))).toEqual(['"localhost:8000/v1"']);
  expect(found(beside('OPENAI_BASE_URL=https://host.example/v1?x=1'))).toEqual([
    '"https://host.example/v1" and more (not shown)',
  ]);
  expect(found(beside('MODELS_FILE=envs/my-models.yaml'))[0]).toContain('"envs/my-models.yaml"');
  expect(found(beside('BIG_MODEL=openai/gpt-6.1-sol-20251001'))[0]).toContain('"openai/gpt-6.1-sol-20251001"');
});

test('a variable of the environment is said to stand there, not in the file', () => {
  const { problems } = readLines(own, { environment: { http_proxy: 'proxy.example:3128', KIMI_API_KEY: '' } });
  expect(problems).toMatchObject([{ file: 'the environment', key: 'http_proxy', severity: 'error' }]);
  expect(problems[0]).not.toHaveProperty('line');
  const key = readLines(['PROVIDER=kimi'], { environment: { OPENAI_API_KEY: 'sk-of-the-shell-01' } });
  expect(key.problems).toMatchObject([{ file: 'the environment', key: 'OPENAI_API_KEY' }]);
});
