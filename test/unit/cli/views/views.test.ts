import { describe, expect, test } from 'vitest';
import { worstOf } from '../../../../src/cli/exitCodes.ts';
import { describeStart } from '../../../../src/cli/supervisor/spawn.ts';
import { diagnosisLine } from '../../../../src/cli/supervisor/state.ts';
import { formatBytes } from '../../../../src/cli/terminal/output.ts';
import { type StatusEntry, statusJson, statusTable, useLine } from '../../../../src/cli/views/statusView.ts';
import { formatDuration } from '../../../../src/core/text.ts';
import { sampleAnswer, sampleInspection, sampleInstance, sampleRow } from '../supervisor/sampleInstance.ts';

const plain = { columns: undefined, paint: (_colour: string, text: string) => text };
const secret = 'sk-canary-0123456789abcdef';
const keyed = sampleInstance(
  'kimi',
  `PROVIDER=kimi\nPORT=8081\nOPENAI_API_KEY=${secret}\nANTHROPIC_API_KEY=${secret}-token\n`,
);

function entry(changes: Partial<StatusEntry> = {}): StatusEntry {
  return { inspection: sampleInspection(), state: 'not started', health: undefined, hint: undefined, ...changes };
}

const busy = sampleAnswer({
  provider: { name: 'kimi' },
  models: { big: 'k-big', middle: 'k-big', small: 'k-small' },
  key: 'file',
  uptime_seconds: 4000,
  memory_bytes: 87_400_000,
  requests: { total: 12, failed: 2 },
  last_error: { at: '2026-11-20T09:01:02.000Z', status: 429, message: 'slow \u001b[31mdown' },
}).health;

describe('the status table', () => {
  test('shows what the instance says of itself', () => {
    const inspection = sampleInspection({ row: sampleRow(keyed) });
    const [, line] = statusTable([entry({ inspection, state: 'serving', health: busy })], plain).split('\n');
    expect(line?.split(/ {2,}/)).toEqual([
      'kimi',
      '8081',
      'kimi',
      'k-big / k-big / k-small',
      'file',
      'serving',
      '100',
      '1h 6m',
      '87 MB',
      '12 (2 failed)',
      '09:01:02 429 slow \\x1b[31mdown',
    ]);
  });

  test('shows what the env file asks for when nothing runs', () => {
    const [, line] = statusTable([entry()], plain).split('\n');
    expect(line).toMatch(/^kimi +8081 +demo +demo-big \/ demo-middle \/ demo-small +none +not started +- +-/);
  });

  test('keeps all columns of wide figures on a terminal of 141 columns', () => {
    const health = sampleAnswer({
      ...busy,
      requests: { total: 12_345, failed: 123 },
      models: { big: 'vendor/k-big-2026', middle: 'vendor/k-middle-2026', small: 'vendor/k-small-2026' },
      last_error: { at: '2026-11-20T09:01:02Z', status: 429, message: 'slow down, '.repeat(20) },
    }).health;
    const [title] = statusTable([entry({ health, state: 'unsupervised' })], { ...plain, columns: 141 }).split('\n');
    expect(title?.split(/ {2,}/)).toHaveLength(11);
  });

  test('fits a narrow terminal with the most important columns', () => {
    const lines = statusTable([entry()], { ...plain, columns: 30 }).split('\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(30);
    expect(lines[1]).toContain('not started');
  });
});

test('the JSON has a schema number and no secret', () => {
  const inspection = sampleInspection({ instance: keyed, row: sampleRow(keyed) });
  const text = statusJson([entry({ inspection, state: 'serving', health: busy })]);
  expect(JSON.parse(text)).toMatchObject({
    schema: 1,
    instances: [{ name: 'kimi', port: 8081, state: 'serving', pid: 100 }],
  });
  expect(text).not.toContain('canary');
});

describe('the line to copy', () => {
  const base = 'ANTHROPIC_BASE_URL=http://127.0.0.1:8081';
  test.each([
    [
      'without any key',
      sampleInstance('demo'),
      `Use it: ./manage run demo\n    or: ${base} ANTHROPIC_AUTH_TOKEN=unused API_TIMEOUT_MS=3000000 claude`,
    ],
    [
      'with a client token',
      keyed,
      `Use it: ./manage run kimi\n    or: ${base} ANTHROPIC_AUTH_TOKEN=TOKEN API_TIMEOUT_MS=3000000 claude\n(TOKEN is the ANTHROPIC_API_KEY of envs/kimi.env)`,
    ],
  ])('%s', (_what, instance, expected) => {
    expect(useLine(instance)).toBe(expected);
  });

  test('passes the client’s own key when the instance has none', () => {
    const line = useLine(sampleInstance('kimi', 'PROVIDER=kimi\nPORT=8081\n'));
    expect(line).toContain('Use it: ANTHROPIC_AUTH_TOKEN=KEY ./manage run kimi\n');
    expect(line).toContain('ANTHROPIC_AUTH_TOKEN=KEY API_TIMEOUT_MS=3000000 claude\n(KEY is your key for Kimi');
  });

  test('brackets an IPv6 address', () => {
    expect(useLine(sampleInstance('demo', 'PROVIDER=demo\nPORT=8081\nHOST=::1\n'))).toContain('http://[::1]:8081');
  });
});

describe('what a user is shown', () => {
  test('of a checkout that was moved while it ran, and how to take it over', async () => {
    expect(await diagnosisLine(sampleInspection({ movedFrom: '/srv/before' }), 'moved')).toBe(
      'kimi: runs from /srv/before, where this checkout no longer is; take it over with: ./manage start kimi',
    );
  });

  test('of an instance of another user', async () => {
    expect(await diagnosisLine(sampleInspection({ otherUser: 'alice' }), 'unsupervised')).toBe(
      'kimi: is run by alice, whose own PM2 knows it; only alice can manage it',
    );
  });

  test('of older settings', async () => {
    const inspection = sampleInspection({ answer: sampleAnswer(), isOurs: true });
    expect(await diagnosisLine(inspection, 'serving')).toContain('./manage reload kimi');
  });

  test('of an edit that the instance could not take over, with its line', async () => {
    const problem = { file: 'envs/kimi.env', line: 7, key: 'LOG_LEVEL', found: '"loud"', fix: 'Name a level.' };
    const missing = { ...problem, file: '/srv/proxy/envs/kimi.env', line: null, key: 'file' };
    const answer = sampleAnswer({ config_problems: [problem, missing], restart_needed: [] });
    expect(await diagnosisLine(sampleInspection({ answer, isOurs: true }), 'serving')).toBe(
      'kimi: serving the old configuration; wrong is envs/kimi.env:7 LOG_LEVEL, envs/kimi.env file',
    );
  });

  test('of what waits for a restart', async () => {
    const answer = sampleAnswer({ config_problems: [], restart_needed: ['PORT', 'LOG_DIR'] });
    expect(await diagnosisLine(sampleInspection({ answer, isOurs: true }), 'serving')).toBe(
      'kimi: restart needed for PORT, LOG_DIR; do it with: ./manage reload kimi',
    );
  });

  test('nothing of what a stranger says on its port', async () => {
    const answer = sampleAnswer({ restart_needed: ['PORT'] });
    expect(await diagnosisLine(sampleInspection({ answer }), 'not started')).toBeUndefined();
  });

  test('nothing when all is well', async () => {
    expect(await diagnosisLine(sampleInspection(), 'not started')).toBeUndefined();
  });

  test.each([
    [0, undefined, 'kimi up on 127.0.0.1:8081 in 0.4 s'],
    [4, 'online', 'kimi does not answer on 127.0.0.1:8081 after 0.4 s; it said:\n    bad \\x07 thing'],
    [
      1,
      'waiting restart',
      'kimi ended at start (exit status 1); PM2 tries it again, ever more slowly; it said:\n    bad \\x07 thing',
    ],
    [78, 'waiting restart', 'kimi ended at start (exit status 78); it said:\n    bad \\x07 thing'],
  ] as const)('of a start that ended with %i', (code, status, expected) => {
    const row = status && sampleRow(keyed, { status, exitCode: code });
    const said = code === 0 ? [] : ['bad \u0007 thing'];
    expect(describeStart({ instance: keyed, code, elapsedMs: 400, row, lastOutput: said })).toBe(expected);
  });
});

test.each([
  [400, '0.4 s'],
  [42_000, '42 s'],
  [185_000, '3m 5s'],
  [15_120_000, '4h 12m'],
  [183_600_000, '2d 3h'],
])('%i ms are %s', (milliseconds, expected) => {
  expect(formatDuration(milliseconds)).toBe(expected);
});

test('sizes are in megabytes', () => {
  expect(formatBytes(87_400_000)).toBe('87 MB');
});

test.each([
  [[], 0],
  [[0, 4, 1], 1],
  [[0, 4], 4],
  [[1, 78], 78],
] as const)('%j together end with %i', (codes, expected) => {
  expect(worstOf(codes)).toBe(expected);
});
