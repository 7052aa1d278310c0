import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as sqlite from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { localDay } from '../../src/core/clock.ts';
import { shortHash } from '../../src/telemetry/requestRecord.ts';
import { UsageFile } from '../../src/telemetry/usage/file.ts';
import { call, message } from '../helpers/startApp.ts';
import { sampleRow } from '../helpers/usageRow.ts';
import { waitUntil } from '../helpers/waitUntil.ts';
import { createProject, type TemporaryProject } from './temporaryProject.ts';

const DAY_MS = 86_400_000;

let project: TemporaryProject;
let port: number;

/** Puts rows into the usage file of an instance. */
function used(name: string, rows: readonly Parameters<typeof sampleRow>[0][]): void {
  const file = new UsageFile(sqlite, join(project.root, 'state', `${name}.usage.sqlite`));
  file.write(rows.map((row) => sampleRow(row)));
  file.close();
}

const dayBefore = (days: number) => localDay(Date.now() - days * DAY_MS);
const usage = async (...words: string[]) => {
  const { code, stdout, stderr } = await project.manage(['usage', ...words]);
  return { code, lines: stdout.trim().split('\n'), stderr };
};
const json = async (...words: string[]) => JSON.parse((await usage(...words, '--json')).lines.join('\n'));

beforeAll(async () => {
  project = await createProject({ binary: resolve(import.meta.dirname, '..', '..', 'dist', 'claude-code-proxy') });
  for (const name of ['idle', 'other', 'fresh', 'spent', 'aged', 'found']) await project.addInstance(name);
  port = await project.addInstance('busy');
  used('idle', [
    { day: dayBefore(0), used_model: 'a', cost: 1 },
    { day: dayBefore(1), used_model: 'a', cost: null, session: 'session-b' },
    { day: dayBefore(40), used_model: 'old', cost: 5 },
    { day: dayBefore(0), used_model: 'a', endpoint: 'health_check', input_tokens: 1, cache_read_tokens: 0, cost: 0 },
  ]);
  used('other', [{ day: dayBefore(1), used_model: 'b', cost: 0.25, outcome: 'error' }]);
});

afterAll(() => project.dispose());

describe('./manage usage, with no instance running', () => {
  test('sums up the days of all instances, the total below, and says what is not known', async () => {
    const { code, lines, stderr } = await usage();
    expect(code).toBe(0);
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      ['day', 'requests', 'input', 'of it cached', 'output', 'of it reasoning', 'cost'],
      [dayBefore(1), '2 (1 failed)', '2,200', '2,000', '20', '0', '$0.2500 + ? (1)'],
      [dayBefore(0), '1 + 1 check', '1,101', '1,000', '20', '0', '$1.0000'],
      ['total', '3 (1 failed) + 1 check', '3,301', '3,000', '40', '0', '$1.2500 + ? (1)'],
    ]);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
    expect(stderr).toContain('Checks are questions of the instances’ own');
    expect(stderr).toContain('1 request or check cost whose price is unknown');
  });

  test('takes names and a number of days', async () => {
    expect((await json('idle', '--days', '1')).rows).toMatchObject([{ day: dayBefore(0), requests: 1, cost_usd: 1 }]);
    expect((await json('all', '--days', '60')).total).toMatchObject({ requests: 4, cost_usd: 6.25 });
  });

  test.each([
    ['model', ['a', 'b']],
    ['instance', ['idle', 'other']],
    ['session', ['session-a', 'session-b']],
  ])('by %s', async (by, groups) => {
    const { rows } = await json('--by', by);
    expect(rows.map((row: Record<string, unknown>) => row[by]).sort()).toEqual(groups);
  });

  test.each([
    [['--day', 'yesterday'], [dayBefore(1)]],
    [['--day', dayBefore(0)], [dayBefore(0)]],
    [
      ['--from', 'yesterday'],
      [dayBefore(1), dayBefore(0)],
    ],
    [
      ['--to', 'yesterday'],
      [dayBefore(40), dayBefore(1)],
    ],
    [['--from', dayBefore(50), '--to', dayBefore(30)], [dayBefore(40)]],
  ])('of the days of %j', async (words, days) => {
    expect((await json(...words)).rows.map(({ day }: { day: string }) => day)).toEqual(days);
  });

  test('by project: folders that Claude Code knows have their names, and a side request that of its session', async () => {
    writeFileSync(join(project.root, '.claude.json'), JSON.stringify({ projects: { '/home/me/shop': {} } }));
    used(
      'spent',
      [
        { project: shortHash('/home/me/shop'), session: 's1', cost: 1 },
        { project: null, session: 's1', cost: 2, intent: 'title' },
        { project: shortHash('/home/me/secret'), session: 's2', cost: 4 },
        { project: '/home/me/site', session: 's3', session_id: '262112a0-8142-43c0-a37f-ac2ca3b0a977', cost: 8 },
      ].map((row) => ({ ...row, day: dayBefore(0) })),
    );
    const { stdout, stderr } = await project.manage(['usage', 'spent', '--by', 'project'], {
      CLAUDE_CONFIG_DIR: project.root,
    });
    expect(stderr).toContain('a hash is a folder that Claude Code on this machine does not know: USAGE_PROJECTS=names');
    const lines = stdout.trim().split('\n');
    expect(lines.map((line) => line.split(/ {2,}/)).map((cells) => [cells[0], cells.at(-1)])).toEqual([
      ['project', 'cost'],
      ['/home/me/site', '$8.0000'],
      [shortHash('/home/me/secret'), '$4.0000'],
      ['/home/me/shop', '$3.0000'],
      ['total', '$15.0000'],
    ]);
    expect((await json('spent', '--by', 'intent')).rows).toMatchObject([
      { intent: 'chat', cost_usd: 13 },
      { intent: 'title', cost_usd: 2 },
    ]);
    const sessions = await usage('spent', '--by', 'session');
    expect(sessions.lines.join('\n')).toContain('262112a0-8142-43c0-a37f-ac2ca3b0a977  ');
  });

  test.each(['project', 'intent', 'session', 'client'])(
    'by %s, of a file that an older version has written',
    async (by) => {
      const path = join(project.root, 'state', 'aged.usage.sqlite');
      rmSync(path, { force: true });
      used('aged', [{ day: dayBefore(0), session: 's1' }]);
      const database = new sqlite.DatabaseSync(path);
      for (const column of ['session_id', 'intent', 'project', 'searches', 'search_cost', 'client'])
        database.exec(`ALTER TABLE requests DROP COLUMN ${column}`);
      database.exec('PRAGMA user_version = 1');
      database.close();
      expect((await json('aged', '--by', by)).rows).toMatchObject([
        { [by]: by === 'session' ? 's1' : '-', requests: 1 },
      ]);
      used('aged', [{ day: dayBefore(0), session: 's1', intent: 'title' }]); // the new version's instance takes it over
      expect((await json('aged')).total).toMatchObject({ requests: 2 });
    },
  );

  test.each([
    [1, 0.005, 'Beside that, 1 search of the web cost $0.0050 (WEB_SEARCH).'],
    [2, 0.01, 'Beside that, 2 searches of the web cost $0.0100 (WEB_SEARCH).'],
  ])('searches of the web and their cost are named below: %i', async (searches, cost, words) => {
    rmSync(join(project.root, 'state', 'found.usage.sqlite'), { force: true });
    used('found', [{ day: dayBefore(0), searches, search_cost: cost }]);
    expect((await usage('found')).stderr).toContain(words);
  });

  test('as CSV', async () => {
    const { lines } = await usage('other', '--csv');
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(new RegExp(`^${dayBefore(1)},1,1,1100,1000,0,10,0,0.25,0,`));
  });

  test('of an instance that was never used is empty, not an error', async () => {
    const { code, lines, stderr } = await usage('fresh');
    expect([code, lines, stderr]).toEqual([
      0,
      [''],
      expect.stringMatching(/^Nothing was used since \d{4}-\d\d-\d\d\.\n$/),
    ]);
  });

  test('a wrong name, grouping or number is a wrong use', async () => {
    for (const words of [
      ['idel'],
      ['--by', 'week'],
      ['--days', 'many'],
      ['--day', 'tomorrow'],
      ['--day', '2026-02-30'],
      ['--from', 'today', '--to', 'yesterday'],
    ])
      expect((await usage(...words)).code).toBe(2);
  });
});

test('a file that cannot be read is reported, and the others are shown', async () => {
  await project.addInstance('broken');
  mkdirSync(join(project.root, 'state'), { recursive: true });
  writeFileSync(join(project.root, 'state', 'broken.usage.sqlite'), 'no database '.repeat(100));
  const { code, lines, stderr } = await usage('broken', 'other');
  expect(code).toBe(1);
  expect(lines.at(-1)).toMatch(/^total {2,}1 \(1 failed\)/);
  expect(stderr).toMatch(/^broken: .*broken\.usage\.sqlite cannot be read: file is not a database$/m);
});

test('a running instance’s requests are there within seconds, and after its stop', async () => {
  expect((await project.manage(['start', 'busy'])).code).toBe(0);
  expect((await call(`http://127.0.0.1:${port}/v1/messages`, message('claude-opus-5'))).status).toBe(200);
  await waitUntil('the request is shown', async () => (await json('busy')).total.requests === 1);
  expect((await json('busy', '--by', 'instance')).rows).toMatchObject([{ instance: 'busy', cost_usd: 0 }]);
  await project.manage(['stop', 'busy']);
  expect((await json('busy')).total.requests).toBe(1);
});
