import { describe, expect, test } from 'vitest';
import { findPreset, foreignVendor, keyPrefixes, presets } from '../../../src/providers/index.ts';
import { problemsOf, readLines } from '../../helpers/configText.ts';

const TAIL = 'q7Zk29bT0Lw4RcXy81Md';

describe('a misspelt name of what chooses the server is an error', () => {
  test.each([
    ['PROVDER', 'PROVIDER'],
    ['PROVIDRE', 'PROVIDER'],
    ['provider', 'PROVIDER'],
    ['PROV', 'PROVIDER'],
    ['PROVIDERS', 'PROVIDER'],
    ['PREFERED_PROVIDER', 'PREFERRED_PROVIDER'],
    ['LLM_PROVIDER', 'PROVIDER'],
    ['OPENAI_BASEURL', 'OPENAI_BASE_URL'],
    ['OPENAI_BASE_ULR', 'OPENAI_BASE_URL'],
    ['OPENAI_BASE', 'OPENAI_BASE_URL'],
    ['OPENAI_API_BASE', 'OPENAI_BASE_URL'],
    ['PROTOCLO', 'PROTOCOL'],
    ['REGOIN', 'REGION'],
    ['REGIONS', 'REGION'],
  ])('%s for %s', (typed, meant) => {
    const { config, problems } = readLines(['PORT=8091', `${typed}=kimi`, 'OPENAI_API_KEY=sk-0123456789']);
    expect(config).toBeUndefined();
    expect(problems).toContainEqual({
      file: 'envs/work.env',
      line: 2,
      key: typed,
      severity: 'error',
      found: `a name that means nothing here, where ${meant} chooses the server that gets the key`,
      fix: `Write ${meant}=... or remove the line.`,
    });
  });

  test.each([
    ['PROT', 'Did you mean PORT?'],
    ['BIG_MODLE', 'Did you mean BIG_MODEL?'],
    ['PRO', undefined],
    ['AWS_REGION', undefined],
    ['OPENAI_PROXY_URL', undefined],
    ['NODE_EXTRA_CA_CERTS', 'Did you mean CA_FILE?'],
    ['NODE_USE_SYSTEM_CA', 'Did you mean SYSTEM_CA?'],
    ['SOMETHING', 'See docs/ENVIRONMENT.md for the names.'],
  ])('%s is a warning', (typed, fix) => {
    const { config, problems } = readLines(['PROVIDER=kimi', `${typed}=x`]);
    expect(config).toBeDefined();
    expect(problems).toMatchObject([{ line: 2, key: typed, severity: 'warning', ...(fix && { fix }) }]);
  });

  test('a name that another line refers to means something', () => {
    expect(problemsOf(['PROVIDERS=kimi', 'PROVIDER=${PROVIDERS}'])).toEqual([]);
  });
});

describe('a key of another vendor is a warning', () => {
  const warningOf = (lines: readonly string[], options = {}) =>
    readLines(lines, options).problems.filter(({ found }) => found.includes('begins like'));

  test.each(keyPrefixes.map(({ prefix, vendor }) => [prefix, vendor] as const))('%s of %s', (prefix, vendor) => {
    const { config, problems } = readLines(['PROVIDER=deepseek', 'PORT=1', `DEEPSEEK_API_KEY=${prefix}${TAIL}`]);
    expect(config).toBeDefined();
    expect(problems).toEqual([
      {
        file: 'envs/work.env',
        line: 3,
        key: 'DEEPSEEK_API_KEY',
        severity: 'warning',
        found: `a key that begins like those of ${vendor}, and goes to api.deepseek.com`,
        fix: expect.stringContaining('PROVIDER'),
      },
    ]);
    expect(JSON.stringify(problems)).not.toContain(TAIL.slice(-4));
  });

  test('each vendor’s own provider takes it, in both protocols, and by its address alone', () => {
    for (const { prefix, presets: own } of keyPrefixes)
      for (const name of own) {
        const preset = findPreset(name);
        expect(preset, name).toBeDefined();
        const all = presets.filter((one) => one.name === name || one.name === `${name}-anthropic`);
        for (const one of all) expect(foreignVendor(prefix + TAIL, one, one.baseUrl), one.name).toBeUndefined();
      }
    const address = 'OPENAI_BASE_URL=https://api.groq.com/openai/v1';
    expect(warningOf(['PROVIDER=custom', address, 'BIG_MODEL=x', `OPENAI_API_KEY=gsk_${TAIL}`])).toEqual([]);
  });

  test.each([
    ['through a gateway of the company', ['PROVIDER=openai', 'OPENAI_BASE_URL=https://gateway.example/v1'], 'sk-proj-'],
    ['to this machine', ['PROVIDER=custom', 'OPENAI_BASE_URL=http://127.0.0.1:9/v1', 'BIG_MODEL=x'], 'sk-ant-'],
    [
      'of a vendor without preset, to its server',
      ['PROVIDER=custom', 'OPENAI_BASE_URL=https://api.example/v1', 'BIG_MODEL=x'],
      'csk-',
    ],
    ['a short word', ['PROVIDER=kimi'], 'xai-'],
  ])('none where it is sent %s', (_name, lines, prefix) => {
    const key = prefix === 'xai-' ? 'xai-abc' : prefix + TAIL;
    expect(warningOf([...lines, `OPENAI_API_KEY=${key}`])).toEqual([]);
  });

  test('also of the providers file and the models file, each once', () => {
    const providers = JSON.stringify({
      providers: [
        { name: 'one', base_url: 'https://one.example/v1', api_keys: ['${ONE}', '${TWO}'], models: { big: ['x'] } },
      ],
    });
    const models = `- {model_id: a, api_base: https://two.example/v1, api_key_name: ONE}
- {model_id: b, api_base: https://two.example/v1, api_key_name: ONE}`;
    const lines = ['PROVIDER=demo', `ONE=sk-ant-${TAIL}`, `TWO=AIza${TAIL}`];
    expect(warningOf(lines, { providers, models }).map(({ line, found }) => `${line} ${found}`)).toEqual([
      '2 a key that begins like those of Anthropic, and goes to one.example',
      '2 a key that begins like those of Anthropic, and goes to two.example',
      '3 a key that begins like those of Google, and goes to one.example',
    ]);
  });
});
