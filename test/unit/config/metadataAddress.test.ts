import { expect, test } from 'vitest';
import { isMetadataAddress } from '../../../src/config/provider.ts';
import { problemsOf, readLines } from '../../helpers/configText.ts';

const refused = [
  'http://169.254.169.254/latest',
  'http://169.254.1.2:8080/v1',
  'http://0xa9fea9fe/v1',
  'http://2852039166/v1',
  'http://0251.0376.0251.0376/v1',
  'http://169.254.43518/v1',
  'http://[fe80::1]/v1',
  'http://[febf::1]:1/v1',
  'http://[::ffff:169.254.169.254]/v1',
  'http://[fd00:ec2::254]/v1',
  'http://[FD00:0EC2:0:0::254]/v1',
  'http://100.100.100.200/v1',
  'https://metadata.google.internal/v1',
  'http://METADATA.google.internal./v1',
];

test.each(refused)('A8 %s is refused as a provider’s address, unless it is allowed', (address) => {
  expect(isMetadataAddress(address)).toBe(true);
  const lines = ['PROVIDER=custom', `OPENAI_BASE_URL=${address}`, 'OPENAI_API_KEY=sk-1', 'BIG_MODEL=x'];
  expect(problemsOf(lines)).toEqual(['error 2 OPENAI_BASE_URL']);
  expect(problemsOf([...lines, 'ALLOW_LINK_LOCAL=on'])).toEqual([]);
  // Nor as that of a side model or of a search.
  for (const others of [[`VISION_URL=${address}`], [`SEARCH_URL=${address}`, 'WEB_SEARCH=searxng']]) {
    const demo = ['PROVIDER=demo', ...others];
    expect(problemsOf(demo)).toEqual([`error 2 ${others[0]?.split('=')[0]}`]);
    expect(problemsOf([...demo, 'ALLOW_LINK_LOCAL=on'])).toEqual([]);
  }
});

test.each([
  'http://127.0.0.1:11434/v1',
  'http://[::1]:1/v1',
  'http://192.168.169.254/v1',
  'http://[fd00::1]/v1',
  'https://169.254.example.com/v1',
  'https://api.openai.com/v1',
])('A8 %s is an address like others', (address) => {
  expect(isMetadataAddress(address)).toBe(false);
});

test('A8 nor may one stand in the providers file or in the models file', () => {
  const cloud = { name: 'cloud', base_url: 'http://169.254.169.254/v1', api_key: '${KEY}', models: { big: ['x'] } };
  const providers = JSON.stringify({ providers: [cloud] });
  const models = '- model_id: mine\n  model_name: x\n  api_base: http://[fe80::1]/v1\n  api_key_name: KEY\n';
  const lines = ['PROVIDER=demo', 'KEY=sk-2'];
  const { problems } = readLines(lines, { providers, models });
  const keys = problems.map(({ key }) => key);
  expect(keys).toContain('PROVIDERS_FILE (cloud)');
  expect(keys).toContain('MODELS_FILE (custom/mine)');
});
