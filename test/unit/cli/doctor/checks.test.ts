import { describe, expect, test } from 'vitest';
import { checkAuthorities } from '../../../../src/cli/doctor/clientChecks.ts';
import { doctorJson, doctorText, isWell, summarize } from '../../../../src/cli/doctor/doctor.ts';
import { type CheckContext, findingsOf } from '../../../../src/cli/doctor/finding.ts';
import { checkFacts, checkInstances, checkPm2, checkTools } from '../../../../src/cli/doctor/instanceChecks.ts';
import { evaluateSpace } from '../../../../src/cli/doctor/machineChecks.ts';
import { evaluateClock } from '../../../../src/cli/doctor/onlineChecks.ts';
import type { Inspection } from '../../../../src/cli/supervisor/inspect.ts';
import { findPreset } from '../../../../src/providers/index.ts';
import { ROOT, sampleAnswer, sampleInspection, sampleInstance, sampleRow } from '../supervisor/sampleInstance.ts';

const context = (changes: Partial<CheckContext>): CheckContext => ({
  root: ROOT,
  environment: {},
  directory: ROOT,
  all: [],
  inspections: [],
  pm2: [],
  now: 0,
  ...changes,
});

describe('the facts about models', () => {
  const DAY_MS = 86_400_000;
  const checked = Date.parse(findPreset('kimi')?.checked ?? '');
  const findings = (text: string, now: number) =>
    checkFacts(context({ inspections: [sampleInspection({ instance: sampleInstance('kimi', text) })], now }));
  const kimi = 'PROVIDER=kimi\nPORT=8081\n';

  test.each([
    [0, 'ok', '0 days old'],
    [1, 'ok', '1 day old'],
    [60, 'ok', '60 days old'],
    [61, 'warn', '61 days old'],
  ])('that are %i days old', (days, result, age) => {
    const [finding, ...others] = findings(kimi, checked + days * DAY_MS);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ check: 'facts', instance: 'kimi', result });
    expect(finding?.detail).toBe(`prices and limits of kimi are of ${findPreset('kimi')?.checked} (preset), ${age}`);
    expect(finding?.remedy?.startsWith('./manage providers --refresh')).toBe(result === 'ok' ? undefined : true);
  });

  test('that no catalogue has come with the program', () => {
    const text = 'PROVIDER=kimi-coding\nPORT=8081\n';
    expect(findings(text, checked + 90 * DAY_MS)[0]?.remedy).toBe('a newer version of this program');
  });

  test.each(['PROVIDER=demo\n', 'PROVIDER=kimi\nBIG_MODEL=own\nSMALL_MODEL=own\n', 'PROVIDER=none\n'])(
    'are not there for %j',
    (text) => {
      expect(findings(text, checked + 90 * DAY_MS)).toEqual([]);
    },
  );
});

describe('the tools of sessions', () => {
  const check = (tools: Record<string, unknown> | undefined, environment: Record<string, string> = {}) => {
    const inspection = sampleInspection({
      instance: sampleInstance('kimi'),
      isOurs: true,
      answer: sampleAnswer(tools === undefined ? {} : { tools }),
    });
    return checkTools(context({ inspections: [inspection], environment }));
  };

  test.each([[undefined], [{ limited_sessions: 0, left_out: 0, search_lost_sessions: 0, search_lost_reason: null }]])(
    'that lack nothing, or of an instance that does not say so: %j',
    (tools) => expect(check(tools)).toEqual([]),
  );

  test('that were left out, with the cure', () => {
    const [finding, ...others] = check({ limited_sessions: 2, left_out: 193 });
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ check: 'tools', instance: 'kimi', result: 'warn' });
    expect(finding?.detail).toContain('2 sessions; 193 were left out');
    expect(finding?.remedy).toMatch(/docs\/TOOLS\.md.*ENABLE_TOOL_SEARCH/);
  });

  test('that were left out because of a variable of this shell', () => {
    const [finding] = check({ limited_sessions: 1, left_out: 1 }, { CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS: '1' });
    expect(finding?.detail).toContain('one session');
    expect(finding?.remedy).toContain('unset CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS');
  });

  test('whose search the client has given up', () => {
    const [finding] = check({ search_lost_sessions: 1, search_lost_reason: '[kimi 400] odd' });
    expect(finding).toMatchObject({ check: 'tools', result: 'warn' });
    expect(finding?.detail).toContain('in one session, after a refusal: [kimi 400] odd');
    expect(finding?.remedy).toContain('./manage logs kimi --errors');
  });
});

describe('an instance', () => {
  const row = (changes: Parameters<typeof sampleRow>[1]) => ({ row: sampleRow(sampleInstance('kimi'), changes) });
  const serving = (changes: Record<string, unknown>, text?: string): Partial<Inspection> => {
    const instance = sampleInstance('kimi', text);
    const hash = instance.config?.hash;
    const answer = sampleAnswer(changes);
    return {
      ...row({}),
      instance,
      isOurs: true,
      answer: { ...answer, health: { ...answer.health, config_hash: hash } },
    };
  };

  test.each<[string, Partial<Inspection>, string, RegExp]>([
    ['not started', {}, 'ok', /^not started$/],
    ['starting', row({}), 'ok', /^starting$/],
    [
      'not answering',
      { ...row({}), answer: { kind: 'unresponsive' } },
      'fail',
      /^takes connections on 127\.0\.0\.1:8081/,
    ],
    ['backing off', row({ status: 'waiting restart', restarts: 7 }), 'fail', /^ends again and again \(7 times\)/],
    ['starting once more', row({ restarts: 3 }), 'fail', /^ends again and again \(3 times\)/],
    ['failed', row({ status: 'errored', exitCode: 3 }), 'fail', /^has ended with exit status 3/],
    ['a checkout that was moved', { ...row({}), movedFrom: '/srv/before' }, 'warn', /^runs from \/srv\/before, where/],
    ['an instance of another user', { otherUser: 'alice' }, 'warn', /^is run by alice, whose own PM2/],
    [
      'an open breaker',
      serving({ providers: [{ name: 'a', circuit: 'open' }] }),
      'warn',
      /^provider down on .*several times in a row$/,
    ],
    [
      'a resting key',
      serving({ providers: [{ name: 'a', circuit: 'closed', keys: [{ state: 'resting' }] }] }),
      'warn',
      /^cooling down on 127\.0\.0\.1:8081, pid 100: the provider limits/,
    ],
    [
      'one of two keys',
      serving({ providers: [{ name: 'a', circuit: 'closed', keys: [{ state: 'resting' }, { state: 'ready' }] }] }),
      'warn',
      /^uses only some .* 1 of 2 keys not used for now$/,
    ],
    [
      'no key',
      serving({ key: 'client' }, 'PROVIDER=kimi\nPORT=8081\n'),
      'warn',
      /^no key on .*envs\/kimi\.env has no key/,
    ],
    [
      'an edit that cannot be taken over',
      serving({ config_problems: [{ file: '/srv/proxy/envs/kimi.env', line: 3, key: 'MAX_RETRIES' }] }),
      'warn',
      /^serving the old configuration; wrong is envs\/kimi\.env:3 MAX_RETRIES$/,
    ],
    ['a change that needs a restart', serving({ restart_needed: ['PORT'] }), 'warn', /^restart needed for PORT/],
    [
      'a log on a full disk',
      serving({ log: { healthy: false, last_error: 'ENOSPC' } }),
      'warn',
      /^its log cannot be written: ENOSPC$/,
    ],
    ['pictures that nobody saw', serving({ unseen_pictures: 3, vision: null }), 'warn', /^3 requests brought pictures/],
    [
      'pictures that could not be described',
      serving({ vision: { model: 'eyes', failed: 2 } }),
      'warn',
      /^2 pictures could not be described by eyes$/,
    ],
    [
      'searches that nobody can do',
      serving({ web_search: { back_end: null, searches: 0, failed: 0, refused: 3, last_failure: null } }),
      'warn',
      /^refused 3 web searches, which its provider cannot do$/,
    ],
    [
      'searches that fail',
      serving({
        web_search: {
          back_end: 'brave',
          searches: 1,
          failed: 2,
          refused: 0,
          last_failure: { at: '', reason: 'no key' },
        },
      }),
      'warn',
      /^2 of 3 web searches by brave failed, the last: no key$/,
    ],
    ['a broken usage file', serving({ usage: { healthy: false } }), 'warn', /^its usage cannot be written/],
    [
      'a database that is away',
      serving({ usage_database: { healthy: false, waiting: 7, last_error: 'ECONNREFUSED' } }),
      'warn',
      /^its usage database cannot be written: ECONNREFUSED; 7 rows wait in its usage file$/,
    ],
    [
      'a collector that is away',
      serving({ otlp: { healthy: false } }),
      'warn',
      /^its OpenTelemetry collector takes nothing: reason unknown$/,
    ],
  ])('%s', async (_name, changes, result, detail) => {
    const findings = await checkInstances(context({ inspections: [sampleInspection(changes)] }));
    expect(findings).toContainEqual(
      expect.objectContaining({ result, instance: 'kimi', detail: expect.stringMatching(detail) }),
    );
    expect(findings.every((finding) => finding.result === 'ok' || finding.remedy !== undefined)).toBe(true);
  });

  test('whose pictures are described, or that has had none, needs no word about them', async () => {
    for (const health of [
      { vision: { model: 'eyes', failed: 0 }, unseen_pictures: 3 },
      { vision: null, unseen_pictures: 0 },
      {},
    ]) {
      const findings = await checkInstances(context({ inspections: [sampleInspection(serving(health))] }));
      expect(findings.filter(({ detail }) => detail.includes('picture'))).toEqual([]);
    }
  });

  test('with an env file that is wrong is reported there', async () => {
    const instance = sampleInstance('kimi', 'PROVIDER=demo\nPORT=x\n');
    expect(await checkInstances(context({ inspections: [sampleInspection({ instance, answer: undefined })] }))).toEqual(
      [],
    );
  });
});

test('PM2 that does not answer is a failure', async () => {
  expect(await checkPm2(context({ pm2: new Error('PM2 did not answer') }))).toEqual([
    findingsOf('PM2').fail('PM2 did not answer', { remedy: expect.stringContaining('pm2 kill') }),
  ]);
});

test.each([
  [0, 'ok'],
  [-59_000, 'ok'],
  [61_000, 'warn'],
  [-3_600_000, 'warn'],
])('a clock that is %d ms ahead: %s', (offset, result) => {
  expect(evaluateClock(offset).result).toBe(result);
  if (result === 'warn') expect(evaluateClock(offset).detail).toContain(offset > 0 ? 'ahead of' : 'behind');
});

test.each([
  [50e6, 0, 'fail'],
  [200e6, 0, 'ok'],
  [200e6, 150e6, 'warn'],
  [900e9, 1e9, 'ok'],
])('%d bytes free with logs that may grow by %d: %s', (free, growth, result) => {
  expect(evaluateSpace('/srv', free, growth).result).toBe(result);
});

describe('the report', () => {
  const fix = { words: 'chmod 600 x', run: () => undefined };
  const findings = [
    findingsOf('runtime').ok('fine'),
    findingsOf('env file').warn('open \u001b[2J', { instance: 'kimi', remedy: 'chmod 600 x', fix }),
    findingsOf('PM2').fail('gone', { remedy: 'npm ci' }),
  ];

  const plain = { paint: (_colour: string, text: string) => text, columns: undefined, program: './manage' };

  test('what several instances have alike is one line with their names', () => {
    const warn = findingsOf('authorities').warn;
    const alike = ['kimi', 'glm'].map((instance) =>
      warn('of this shell', { instance, remedy: `./manage set ${instance} SYSTEM_CA=on` }),
    );
    expect(doctorText([...alike, warn('other', { instance: 'qwen' })], plain).split('\n')).toEqual([
      'warn  authorities       of this shell (kimi, glm)',
      '      -> ./manage set NAME SYSTEM_CA=on',
      'warn  authorities qwen  other',
    ]);
    expect(JSON.parse(doctorJson(alike, [])).findings).toHaveLength(2);
  });

  test('a narrow terminal breaks lines between words', () => {
    const long = [findingsOf('shell').warn('a warning with words', { remedy: './manage set kimi SYSTEM_CA=on' })];
    expect(doctorText(long, { ...plain, columns: 30, program: 'proxy' }).split('\n')).toEqual([
      'warn  shell  a warning with',
      '      words',
      '      -> proxy set kimi',
      '         SYSTEM_CA=on',
    ]);
  });

  test('for people: a line each, the remedy below, nothing that steers the terminal', () => {
    expect(doctorText(findings, plain).split('\n')).toEqual([
      'ok    runtime        fine',
      'warn  env file kimi  open \\x1b[2J',
      '      -> chmod 600 x',
      'fail  PM2            gone',
      '      -> npm ci',
    ]);
    expect(summarize(findings)).toBe('1 failure, 1 warning; ./manage doctor --fix repairs 1 of them.');
    expect(summarize([])).toBe('no failures, no warnings.');
  });

  test('for programs', () => {
    expect(JSON.parse(doctorJson(findings, ['rm x']))).toEqual({
      schema: 1,
      ok: false,
      mended: ['rm x'],
      findings: [
        { check: 'runtime', instance: null, result: 'ok', detail: 'fine', remedy: null, fixable: false },
        {
          check: 'env file',
          instance: 'kimi',
          result: 'warn',
          detail: 'open \u001b[2J',
          remedy: 'chmod 600 x',
          fixable: true,
        },
        { check: 'PM2', instance: null, result: 'fail', detail: 'gone', remedy: 'npm ci', fixable: false },
      ],
    });
  });

  test('a warning is no failure', () => {
    expect([isWell(findings), isWell(findings.slice(0, 2))]).toEqual([false, true]);
  });
});

describe('certificate authorities of a shell', () => {
  const text = (...lines: string[]) => ['PROVIDER=kimi', 'PORT=8081', ...lines].join('\n');
  const check = (
    environment: Record<string, string>,
    instance = sampleInstance('kimi', text()),
    extraCaFile?: string,
  ) =>
    checkAuthorities(
      context({
        environment,
        inspections: [sampleInspection({ instance, row: { ...sampleRow(instance), extraCaFile } })],
      }),
    );

  test.each([
    ['NODE_EXTRA_CA_CERTS', '/etc/company.pem', './manage set kimi CA_FILE=/etc/company.pem'],
    ['NODE_USE_SYSTEM_CA', '1', './manage set kimi SYSTEM_CA=on'],
  ])('%s of this shell is a warning with the line that lasts', (name, value, remedy) => {
    const extraCaFile = name === 'NODE_EXTRA_CA_CERTS' ? value : undefined;
    expect(check({ [name]: value }, undefined, extraCaFile)).toEqual([
      expect.objectContaining({ check: 'authorities', instance: 'kimi', result: 'warn', remedy }),
    ]);
    const set = sampleInstance('kimi', text('SYSTEM_CA=on'));
    expect(check({ [name]: value }, set, extraCaFile)).toEqual([]);
  });

  test('so is one of the shell that has started the instance, where this one lacks it', () => {
    expect(check({}, undefined, '/old.pem')).toMatchObject([
      { detail: expect.stringContaining('would lose'), remedy: './manage set kimi CA_FILE=/old.pem' },
    ]);
  });

  test('SSL_CERT_FILE, which many systems set, is mentioned', () => {
    expect(check({ SSL_CERT_FILE: '/etc/ssl/x.pem' })).toMatchObject([
      { result: 'ok', detail: expect.stringContaining('CA_FILE=/etc/ssl/x.pem') },
    ]);
  });

  test('none without such variables, or without a provider over TLS', () => {
    expect(check({})).toEqual([]);
    expect(check({ SSL_CERT_FILE: '/x' }, sampleInstance('demo', 'PROVIDER=demo\n'))).toEqual([]);
  });
});
