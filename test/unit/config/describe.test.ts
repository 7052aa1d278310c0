import { expect, test } from 'vitest';
import { describeConfig } from '../../../src/config/describe.ts';
import { formatProblems } from '../../../src/config/diagnostics.ts';
import { presets } from '../../../src/providers/index.ts';
import { configOf, readLines } from '../../helpers/configText.ts';

test('--check shows what is in force and masks the secrets (S4)', () => {
  const text = describeConfig(
    configOf([
      'PROVIDER=glm',
      'OPENAI_API_KEY=canary-provider-0001',
      'ANTHROPIC_API_KEY=canary-client-000002',
      'CUSTOM_HEADER_AUTHORIZATION=Bearer canary-header',
      'QUIRK_TOP_K=1',
      'HOST=::1',
    ]),
  ).join('\n');
  expect(text).not.toContain('canary');
  expect(text).toContain('OPENAI_API_KEY in the env file, ****0001');
  expect(text).toContain('client token   ****0002');
  expect(text).toContain('http://[::1]:8082');
  expect(text).toContain('big glm-5.3, middle glm-5.3, small glm-5.3-flash');
  expect(text).toContain('kept 3 days, together at most 200M');
  expect(text).toContain('custom headers authorization');
  expect(text).toContain('quirk          QUIRK_TOP_K=true');
  expect(text).not.toMatch(/^(?:router|strategy|health check|network proxy|endpoint|providers file)/m);
});

/** The lines about these subjects. */
function linesOf(subjects: readonly string[], lines: readonly string[], providers?: object): readonly string[] {
  const options = providers === undefined ? {} : { providers: JSON.stringify(providers) };
  return describeConfig(configOf(lines, options)).filter((line) =>
    subjects.some((subject) => line.startsWith(subject.padEnd(15))),
  );
}

test('--check shows each provider with its place, keys, models and limits, and what holds for all of them', () => {
  const file = {
    providers: [
      {
        name: 'one',
        base_url: 'http://localhost:1/v1',
        models: { big: ['a', 'b'], small: 'c' },
        timeout: 90,
        max_retries: 3,
      },
      {
        name: 'two',
        priority: 2,
        base_url: 'https://x.openai.azure.com',
        api_keys: ['canary-key-00001', 'canary-key-00002'],
        models: { big: 'd' },
      },
    ],
    fallback_strategy: 'round_robin',
    health_check: 'request',
    circuit_breaker: { failure_threshold: 3, recovery_timeout: 120 },
  };
  const subjects = ['provider', 'provider key', 'endpoint', 'models', 'limits', 'strategy', 'breaker', 'health check'];
  expect(linesOf([...subjects, 'attempts', 'providers file'], [], file)).toEqual([
    'provider       one (custom), http://localhost:1/v1, priority 1',
    'provider key   none needed',
    'models         big a then b, middle a then b, small c',
    'limits         answer within 90 s, 3 retries',
    'provider       two (azure), https://x.openai.azure.com, priority 2',
    'endpoint       https://x.openai.azure.com/openai/v1/chat/completions',
    'provider key   providers[1].api_keys[0] in the providers file, ****0001',
    'provider key   providers[1].api_keys[1] in the providers file, ****0002',
    'models         big d, middle d, small d',
    'providers file envs/providers.json',
    'strategy       round_robin',
    'attempts       2 retries; in all at most 8, within 120 s',
    'breaker        3 failures within 30 s keep requests away for 120 s',
    'health check   every 300 s, for one token of an answer',
  ]);
  const weighted = { ...file, fallback_strategy: 'weighted' };
  expect(linesOf(['provider'], [], weighted)[0]).toBe('provider       one (custom), http://localhost:1/v1, weight 1');
});

test('--check shows the lines of the router, and how long usage is kept', () => {
  const lines = ['PROVIDER=demo', 'ROUTER_THINK=deep', 'ROUTER_LONG_CONTEXT=long', 'USAGE_RETENTION_DAYS=0'];
  expect(linesOf(['router', 'usage'], lines)).toEqual([
    'router         ROUTER_THINK=deep',
    'router         ROUTER_LONG_CONTEXT=long, from 131072 tokens on',
    'usage          kept for ever',
  ]);
});

test('--check shows network proxies without what is secret of them', () => {
  const lines = ['PROVIDER=demo', 'HTTPS_PROXY=http://me:canary@proxy.lan:3128', 'NO_PROXY=intranet'];
  expect(linesOf(['network proxy'], lines)).toEqual([
    'network proxy  http://****@proxy.lan:3128 for https, not for intranet,127.0.0.1,localhost,::1',
  ]);
});

test('--check shows quirks as the env file has them, with no credential in them', () => {
  const lines = ['PROVIDER=demo', 'QUIRK_DROP_PARAMS=user,seed', 'QUIRK_EXTRA_BODY={"a":1,"k":"sk-canary-0123456789"}'];
  expect(linesOf(['quirk'], [...lines, 'QUIRK_REASONING_STYLE=none'])).toEqual([
    'quirk          QUIRK_DROP_PARAMS=user,seed',
    'quirk          QUIRK_EXTRA_BODY={"a":1,"k":"****"}',
    'quirk          QUIRK_REASONING_STYLE=none',
  ]);
});

test('a key that is passed through is said to be', () => {
  expect(describeConfig(configOf(['PROVIDER=glm'])).join('\n')).toContain('passed through from the client');
});

test('a problem says where, what was found and how to repair it', () => {
  const { problems } = readLines(['PORT=80a1']);
  expect(formatProblems(problems)).toBe(
    [
      'envs/work.env:1  PORT  error: found "80a1"',
      '    -> Set a whole number from 1 to 65535.',
      'envs/work.env  PROVIDER  error: found nothing',
      `    -> Set one of ${presets.map((preset) => preset.name).join(', ')}.`,
    ].join('\n'),
  );
});

test('a problem of a file that several instances share is reported once', () => {
  const { problems } = readLines(['PORT=80a1']);
  expect(formatProblems([...problems, ...problems])).toBe(formatProblems(problems));
});

test('colours only where they are asked for', () => {
  const { problems } = readLines(['PORT=80a1']);
  expect(formatProblems(problems)).not.toContain('\u001b');
  expect(formatProblems(problems, { color: true })).toContain('\u001b[31merror');
});
