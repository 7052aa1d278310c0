import { describe, expect, test } from 'vitest';
import { worstOf } from '../../../../src/cli/exitCodes.ts';
import { describeCondition } from '../../../../src/cli/supervisor/condition.ts';
import { describeStart } from '../../../../src/cli/supervisor/processes.ts';
import { diagnosisLine } from '../../../../src/cli/supervisor/state.ts';
import { formatBytes } from '../../../../src/cli/terminal/output.ts';
import { type StatusEntry, statusJson } from '../../../../src/cli/views/statusEntry.ts';
import { entryHints, statusTable, statusText, useLine } from '../../../../src/cli/views/statusView.ts';
import { formatDuration } from '../../../../src/core/text.ts';
import { sampleAnswer, sampleInspection, sampleInstance, sampleRow } from '../supervisor/sampleInstance.ts';

const plain = { program: './manage', columns: undefined, paint: (_colour: string, text: string) => text };
const secret = 'sk-canary-0123456789abcdef';
const keyed = sampleInstance(
  'kimi',
  `PROVIDER=kimi\nPORT=8081\nOPENAI_API_KEY=${secret}\nANTHROPIC_API_KEY=${secret}-token\n`,
);

function entry(changes: Partial<StatusEntry> = {}): StatusEntry {
  const found = {
    inspection: sampleInspection(),
    state: 'not started',
    health: undefined,
    hint: undefined,
    ...changes,
  } as const;
  const { instance, row } = found.inspection;
  const report = describeCondition({ ...found, instance, row, isSound: true, hasRun: false });
  return { ...found, report, ...changes };
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
      'failing',
      '8081',
      'kimi',
      'k-big / k-big / k-small',
      'file',
      '1h 6m',
      '87 MB',
      '12 (2 failed)',
      '100',
    ]);
  });

  test('says who describes pictures, whether the instance runs or not', () => {
    const vision = { model: 'eyes', setting: 'VISION_MODEL', base_url: 'http://127.0.0.1:1', described: 1, failed: 0 };
    const health = sampleAnswer({ ...busy, vision, unseen_pictures: 0 }).health;
    const running = entry({ state: 'serving', health });
    expect(statusTable([running], plain)).toContain('k-big / k-big / k-small, pictures by eyes');
    expect(JSON.parse(statusJson([running], undefined)).instances[0]).toMatchObject({ vision, unseen_pictures: 0 });
    const instance = sampleInstance('glm', 'PROVIDER=glm\nPORT=8082\nVISION_MODEL=glm-5.3-flash\n');
    const stopped = entry({ inspection: sampleInspection({ instance }) });
    expect(statusTable([stopped], plain)).toContain(', pictures by glm-5.3-flash');
  });

  test('shows what the env file asks for when nothing runs', () => {
    const [, line] = statusTable([entry()], plain).split('\n');
    expect(line).toMatch(/^kimi +not started +8081 +demo +demo-big \/ demo-middle \/ demo-small +none +- +-/);
  });

  test('keeps all columns of wide figures on a terminal of 141 columns', () => {
    const health = sampleAnswer({
      ...busy,
      requests: { total: 12_345, failed: 123 },
      models: { big: 'vendor/k-big-2026', middle: 'vendor/k-middle-2026', small: 'vendor/k-small-2026' },
      last_error: { at: '2026-11-20T09:01:02Z', status: 429, message: 'slow down, '.repeat(20) },
    }).health;
    const [title] = statusTable([entry({ health, state: 'unsupervised' })], { ...plain, columns: 141 }).split('\n');
    expect(title?.split(/ {2,}/)).toHaveLength(10);
  });

  const refused = sampleAnswer({
    ...busy,
    last_success_at: '2026-11-20T08:00:00Z',
    last_error: {
      at: '2026-11-20T09:01:02.000Z',
      status: 401,
      type: 'authentication_error',
      message: `[kimi 401] the provider rejected OPENAI_API_KEY: ${'the key was deleted, '.repeat(6)}THE END`,
    },
  }).health;

  test.each([80, 120])('on a terminal of %d columns the state is whole, and the last error is, too', (columns) => {
    const inspection = sampleInspection({ row: sampleRow(keyed) });
    const text = statusText([entry({ inspection, state: 'serving', health: refused })], { ...plain, columns });
    const lines = text.split('\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
    expect(lines[1]).toMatch(/^kimi +key refused +8081 .* 12 \(2 failed\)/);
    expect(lines.slice(3).join(' ').replaceAll(/ +/g, ' ')).toMatch(
      /^kimi: 09:01:02 401 \[kimi 401\] the provider rejected .*, THE END -> correct the key: \.\/manage key kimi$/,
    );
  });

  test('what PM2 has started again says so', () => {
    const health = sampleAnswer({ uptime_seconds: 60, started_at: '2026-11-20T19:13:00Z' }).health;
    const inspection = sampleInspection({ row: sampleRow(keyed, { restarts: 2 }) });
    const text = statusText([entry({ inspection, state: 'serving', health })], plain);
    expect(text).toContain('1m 0s (2 restarts)');
    expect(text).toContain('kimi: ended by itself and was restarted 2 times, last 19:13:00');
    const later = { ...health, uptime_seconds: 100_000 };
    expect(statusText([entry({ inspection, state: 'serving', health: later })], plain)).not.toContain(
      'ended by itself',
    );
  });

  test('an answer that broke off is an error without the status 200', () => {
    const last_error = { at: '2026-11-20T09:01:02Z', status: 200, type: 'api_error', message: 'the answer broke off' };
    const { health } = sampleAnswer({ last_error });
    expect(statusText([entry({ state: 'serving', health })], plain)).toContain('kimi: 09:01:02 the answer broke off');
  });

  test.each([
    [{ back_end: null, searches: 0, failed: 0, refused: 0, last_failure: null }, undefined],
    [
      { back_end: null, searches: 0, failed: 0, refused: 1, last_failure: null },
      'kimi: a web search was refused, as nobody does them\n  -> WEB_SEARCH (docs/SEARCH.md)',
    ],
    [
      { back_end: 'brave', searches: 2, failed: 0, refused: 0, last_failure: null },
      'kimi: searches the web by brave: 2 done',
    ],
    [
      {
        back_end: 'brave',
        searches: 2,
        failed: 1,
        refused: 0,
        last_failure: { at: '2026-11-20T09:01:02Z', reason: 'no key' },
      },
      'kimi: searches the web by brave: 2 done, 1 failed, last 09:01:02: no key',
    ],
  ])('searches of the web: %j', (web_search, expected) => {
    const { health } = sampleAnswer({ web_search });
    const text = statusText([entry({ state: 'serving', health })], plain);
    if (expected === undefined) expect(text).not.toContain('search');
    else expect(text).toContain(expected);
  });

  test.each([
    [{ most: null, limited_sessions: 0, left_out: 0 }, undefined],
    [
      { most: 128, limited_sessions: 0, left_out: 0 },
      'kimi: chooses 128 tools where a session has more (docs/TOOLS.md)',
    ],
    [
      { most: 64, limited_sessions: 1, left_out: 172 },
      '; one session had more, 172 were left out of the latest request',
    ],
  ])('tools of which the model is not sent all: %j', (counts, expected) => {
    const { health } = sampleAnswer({ tools: { ...counts, search_lost_sessions: 0, search_lost_reason: null } });
    const shown = entry({ state: 'serving', health });
    if (expected === undefined) expect(statusText([shown], plain)).not.toContain('tools');
    else expect(statusText([shown], plain).replaceAll('\n  ', ' ')).toContain(expected);
    // It is no problem, which the page would show as one.
    expect(entryHints(shown)).toEqual([]);
    expect(JSON.parse(statusJson([shown], undefined)).instances[0].tools).toMatchObject(counts);
  });

  test('several without a key share a line, and headings are bold', () => {
    const without = (name: string) => {
      const instance = sampleInstance(name, 'PROVIDER=kimi\nPORT=8081\n');
      return entry({
        inspection: sampleInspection({ instance }),
        state: 'serving',
        health: sampleAnswer({ key: 'client' }).health,
      });
    };
    const paint = (colour: string, text: string) => `<${colour}>${text}</>`;
    const text = statusText([without('a'), without('b')], { ...plain, paint });
    expect(text.split('\n').slice(3)).toEqual([
      '',
      '<yellow>a, b:</> no key, and no client has sent one',
      '  -> set the key: ./manage key NAME',
    ]);
    expect(text).toMatch(/^<bold>name .*<\/>\n/);
  });

  test('fits a narrow terminal with the most important columns', () => {
    const lines = statusTable([entry()], { ...plain, columns: 30 }).split('\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(30);
    expect(lines[1]).toContain('not started');
  });
});

test('the JSON has a schema number and no secret', () => {
  const inspection = sampleInspection({ instance: keyed, row: sampleRow(keyed) });
  const text = statusJson([entry({ inspection, state: 'serving', health: busy })], undefined);
  expect(JSON.parse(text)).toMatchObject({
    schema: 1,
    instances: [
      {
        name: 'kimi',
        port: 8081,
        state: 'serving',
        condition: 'failing',
        condition_reason: '09:01:02 429 slow \\x1b[31mdown',
        pid: 100,
      },
    ],
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
