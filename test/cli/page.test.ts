import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import * as sqlite from 'node:sqlite';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { KEY_HEADER, type NowAnswer, type SetupAnswer } from '../../src/cli/ui/contract.ts';
import type { RequestDetail, RequestsAnswer, SessionsAnswer, UsageAnswer } from '../../src/cli/ui/records.ts';
import { localDay } from '../../src/core/clock.ts';
import { UsageFile } from '../../src/telemetry/usage/file.ts';
import { usageGroupings } from '../../src/telemetry/usage/totals.ts';
import { call, message } from '../helpers/startApp.ts';
import { sampleRow } from '../helpers/usageRow.ts';
import { waitUntil } from '../helpers/waitUntil.ts';
import { createProject, freePort, type TemporaryProject } from './temporaryProject.ts';

const DAY_MS = 86_400_000;

let project: TemporaryProject;
let demoPort: number;
let pagePort: number;
let server: ChildProcess;
let printed = '';

/** The page of an address that was printed, opened. */
async function open(address: string): Promise<Record<string, string>> {
  const [base = '', secret] = address.trim().split('/#');
  const answer = await fetch(`${base}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ secret }),
  });
  expect(answer.status).toBe(200);
  const { key } = (await answer.json()) as { key: string };
  return { cookie: answer.headers.getSetCookie()[0]?.split(';')[0] ?? '', [KEY_HEADER]: key };
}

let session: Record<string, string>;
const ask = (path: string, more: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${pagePort}${path}`, { ...more, headers: { ...session, ...(more.headers as object) } });
async function get<T>(path: string): Promise<T> {
  const answer = await ask(path);
  expect([path, answer.status]).toEqual([path, 200]);
  return (await answer.json()) as T;
}
const json = async (...words: string[]) => JSON.parse((await project.manage([...words, '--json'])).stdout);

function serve(words: readonly string[]): { readonly child: ChildProcess; readonly output: () => string } {
  const child = spawn(join(project.root, 'manage'), ['ui', ...words], {
    cwd: project.root,
    env: { PATH: process.env['PATH'], HOME: project.home, PM2_HOME: project.pm2Home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (piece) => (text += piece));
  return { child, output: () => text };
}

function sendRequest(fields: Record<string, unknown> = {}) {
  return call(`http://127.0.0.1:${demoPort}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...JSON.parse(String(message('demo').body)), ...fields }),
  });
}

beforeAll(async () => {
  project = await createProject({ isBuilt: true });
  demoPort = await project.addInstance('demo');
  await project.addInstance('idle');
  await project.addInstance('wrong', ['REQUEST_TIMEOUT=soon']);
  const file = new UsageFile(sqlite, join(project.root, 'state', 'idle.usage.sqlite'));
  const day = (days: number) => localDay(Date.now() - days * DAY_MS);
  const time = (days: number) => Date.now() - days * DAY_MS;
  file.write(
    [
      { time: time(0), day: day(0), used_model: 'a', cost: 0.1, session_id: 'id-a', project: '/home/me/a' },
      { time: time(1), day: day(1), used_model: 'a', cost: null, session: 'session-b', agent: 1 as const },
      {
        time: time(3),
        day: day(3),
        used_model: '=b',
        provider: 'other',
        cost: 0.2,
        outcome: 'error',
        session: 'session-b',
      },
      {
        time: time(9),
        day: day(9),
        used_model: '<b>c</b>',
        provider: 'other',
        cost: 0.3,
        intent: 'title',
        session: null,
      },
      { time: time(40), day: day(40), used_model: 'old', cost: 5 },
      { time: time(0), day: day(0), used_model: 'a', endpoint: 'health_check', input_tokens: 1, cost: 0 },
      {
        time: time(2),
        day: day(2),
        session: 'session-b',
        endpoint: 'side:vision',
        used_model: 'eyes',
        agent: 1 as const,
        cost: 0.01,
      },
      { time: time(2), day: day(2), session: 'session-b', searches: 2, search_cost: 0.01, project: '/home/me/b' },
    ].map((row) => sampleRow(row)),
  );
  file.close();
  expect((await project.manage(['start', 'demo'])).code).toBe(0);
  for (const model of ['claude-opus-4-1', 'claude-haiku-4-5', 'no such <i>model</i>']) await sendRequest({ model });
  await sendRequest({ max_tokens: -1 });
  pagePort = await freePort();
  const started = serve(['--port', String(pagePort)]);
  server = started.child;
  await waitUntil('the page', async () => started.output().includes('Ctrl-C ends it'));
  printed = started.output();
  session = await open(/http:\S+/.exec(printed)?.[0] ?? '');
  const rows = async () => (await get<UsageAnswer>('/api/usage?instance=demo')).total.requests;
  await waitUntil('four rows', async () => (await rows()) === 4);
});

afterAll(async () => {
  server.kill('SIGKILL');
  await project.dispose();
});

describe('the figures of the page are those of the terminal', () => {
  test('of status', async () => {
    const [{ instances }, now] = [await json('status'), await get<NowAnswer>('/api/now')];
    // Two questions are a moment apart; the time of the last answer is worked out from a monotonic clock.
    const changing = ['uptime_seconds', 'memory_bytes', 'last_answer_at', 'env_file'];
    const lasting = (fields: unknown) =>
      JSON.parse(JSON.stringify(fields, (name, value) => (changing.includes(name) ? undefined : value)));
    expect(now.instances.map(({ status }) => lasting(status))).toEqual(instances.map(lasting));
    expect(now.instances.map(({ words, severity }) => [words, severity])).toEqual([
      ['ready', 'good'],
      ['not started', 'idle'],
      ['wrong file', 'bad'],
    ]);
    expect(now.problems).toContainEqual(expect.objectContaining({ instance: 'wrong', severity: 'bad' }));
    expect(now.instances[0]?.minutes.reduce((sum, { requests }) => sum + requests, 0)).toBe(4);
  });

  test('of top', async () => {
    const [{ instances, total }, now] = [await json('top'), await get<NowAnswer>('/api/now')];
    const today = ({ today: figures }: { readonly today: unknown }) => figures;
    expect(now.instances.map(({ figures }) => today(figures))).toEqual(instances.map(today));
    expect(now.total.today).toEqual(total.today);
  });

  test.each(usageGroupings)('of usage by %s, and its CSV is the same', async (by) => {
    const from = localDay(Date.now() - 20 * DAY_MS);
    const { rows, total } = await json('usage', '--by', by, '--from', from);
    const answer = await get<UsageAnswer>(`/api/usage?by=${by}&from=${from}`);
    const named = rows.map(({ [by]: group, folder, session_id, ...fields }: Record<string, unknown>) => ({
      group,
      name: folder ?? session_id ?? null,
      ...fields,
    }));
    expect(answer.lines).toEqual(named);
    expect(answer.total).toEqual(total);
    const { stdout } = await project.manage(['usage', '--by', by, '--from', from, '--csv']);
    expect(await (await ask(`/api/usage.csv?by=${by}&from=${from}`)).text()).toBe(stdout);
  });

  const others = usageGroupings.filter((by) => by !== 'day');
  const perPeriod = ['day', 'week', 'month'].flatMap((period) => others.map((by) => [period, by] as const));
  test.each(perPeriod)('the bars of each %s by %s add up to the lines', async (period, by) => {
    const { lines, series } = await get<UsageAnswer>(`/api/usage?by=${by}&period=${period}&compare=1`);
    for (const { group, name, ...bars } of series.groups) {
      const line = lines.find((candidate) => candidate.group === group);
      expect(name).toBe(line?.name);
      for (const [measure, values] of Object.entries(bars)) {
        expect(values).toHaveLength(series.periods.length);
        const sum = values.reduce((total, value) => total + value, 0);
        expect([group, measure, Math.round(sum * 1e6)]).toEqual([
          group,
          measure,
          Math.round((line?.[measure as keyof typeof bars] ?? 0) * 1e6),
        ]);
      }
    }
    expect(series.groups).toHaveLength(lines.length);
  });

  test('the range before is as long, and ends where the range begins', async () => {
    const [from, to] = [localDay(Date.now() - 8 * DAY_MS), localDay(Date.now())];
    const { before } = await get<UsageAnswer>(`/api/usage?from=${from}&to=${to}&compare=1`);
    expect(before).toMatchObject({
      first_day: localDay(Date.now() - 17 * DAY_MS),
      last_day: localDay(Date.now() - 9 * DAY_MS),
      total: { requests: 1, cost_usd: 0.3 },
    });
  });

  test('of logs: each record is the line of the log', async () => {
    const { stdout } = await project.manage(['logs', 'demo', '--json', '--since', '1d']);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const records = lines.filter(({ event }) => event === 'request').reverse();
    const list = () => get<RequestsAnswer>('/api/requests?instance=demo');
    await waitUntil('all logs to be read', async () => (await list()).index.is_complete);
    const { requests, index } = await list();
    expect(requests.map(({ id }) => id)).toEqual(records.map(({ id }) => id));
    expect(index).toMatchObject({ is_complete: true, records: 4 });
    for (const { id, time, cursor, fallbacks, ...row } of requests) {
      const line = records.find((candidate) => candidate.id === id);
      expect(cursor).toMatch(/^\d+\.-?\d+$/);
      expect([time, fallbacks]).toEqual([line.time, line.fallbacks?.length ?? 0]);
      for (const [name, value] of Object.entries(row)) expect([name, value]).toEqual([name, line[name] ?? null]);
      const { record } = await get<RequestDetail>(`/api/request?instance=demo&id=${id}&time=${time}`);
      expect(record).toEqual(records.find((candidate) => candidate.id === id));
    }
  });

  test('of list and doctor, with masked keys', async () => {
    const [{ instances }, { findings }] = [await json('list'), await json('doctor')];
    const setup = await get<SetupAnswer>('/api/setup');
    expect(setup.instances.map(({ name, key, sound }) => ({ name, key, sound }))).toEqual(
      instances.map(({ name, key, sound }: Record<string, unknown>) => ({ name, key, sound })),
    );
    const kind = ({ check, instance, result }: Record<string, unknown>) => ({ check, instance, result });
    expect(setup.findings.map((finding) => kind({ ...finding }))).toEqual(findings.map(kind));
    expect(setup.instances[0]?.use.run).toBe('./manage run demo');
    expect(setup.instances[2]?.problems[0]).toMatchObject({ file: 'envs/wrong.env', key: 'REQUEST_TIMEOUT' });
  });

  test('sessions have their turns, their subagents and their folder', async () => {
    const { sessions } = await get<SessionsAnswer>('/api/sessions?instance=idle');
    expect(sessions).toMatchObject([
      { session: 'session-a', session_id: 'id-a', project: '/home/me/a', turns: 1, agent_requests: 0, requests: 1 },
      {
        session: 'session-b',
        session_id: null,
        project: '/home/me/b',
        turns: 2,
        agent_requests: 1,
        side_calls: 1,
        models: ['=b', 'a', 'model-a'],
      },
    ]);
    const { rows } = await json('usage', 'idle', '--by', 'session', '--days', '30');
    const figuresOf = (session: string) => {
      const { session: _hash, ...figures } = rows.find((row: { session: string }) => row.session === session);
      return figures;
    };
    for (const session of sessions) expect(session).toMatchObject(figuresOf(session.session));
  });
});

describe('events', () => {
  /** The events of an open page, and their text so far. */
  async function listen(headers: Record<string, string> = {}) {
    const stop = new AbortController();
    const answer = await ask('/api/live', { headers, signal: stop.signal });
    const seen = { text: '', stop: () => stop.abort() };
    const read = async () => {
      for await (const piece of answer.body ?? []) seen.text += Buffer.from(piece).toString();
    };
    read().catch(() => undefined);
    afterEach(() => stop.abort());
    return seen;
  }
  const lastId = (text: string) => [...text.matchAll(/^id: (\S+)$/gm)].at(-1)?.[1] ?? '';

  test('come as requests end, and what came while the page was away comes when it is back', async () => {
    const first = await listen();
    await waitUntil(
      'the first events',
      async () => first.text.includes('event: now') && first.text.includes('{"requests":[]}'),
    );
    await sendRequest({ model: 'claude-first' });
    await waitUntil('a row', async () => first.text.includes('claude-first'));
    first.stop();
    await sendRequest({ model: 'claude-missed' });
    const second = await listen({ 'last-event-id': lastId(first.text) });
    await waitUntil('the row that was missed', async () => second.text.includes('claude-missed'));
    expect(second.text).not.toContain('claude-first');
    expect(second.text).not.toContain('event: lost');
    second.stop();
  });

  test('say that rows are lost where the server was another one', async () => {
    const seen = await listen({ 'last-event-id': 'abcdef123456-3' });
    await waitUntil('that they are lost', async () => seen.text.includes('event: lost\ndata: {"count":null}'));
    seen.stop();
  });
});

describe('actions', () => {
  const run = (command: string, instance: string) =>
    ask('/api/actions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ command, instance }),
    });
  const linesOf = async (answer: Response) =>
    (await answer.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));

  test('an instance is restarted, stopped and started, line by line, one command at a time', async () => {
    const pid = async () => (await project.status()).find(({ name }) => name === 'demo')?.pid;
    const before = await pid();
    const restart = await run('restart', 'demo');
    expect((await run('stop', 'demo')).status).toBe(409);
    const lines = await linesOf(restart);
    expect(lines.map(({ line }) => line).join('\n')).toMatch(/demo up on/);
    expect(lines.at(-1)).toEqual({ exit_code: 0 });
    expect(await pid()).not.toBe(before);
    expect((await linesOf(await run('stop', 'demo'))).at(-1)).toEqual({ exit_code: 0 });
    const { instances } = await get<NowAnswer>('/api/now');
    expect(instances[0]?.words).toBe('stopped');
    expect((await linesOf(await run('start', 'demo'))).at(-1)).toEqual({ exit_code: 0 });
  });

  test('what a command says when it fails is shown, with its exit status', async () => {
    const lines = await linesOf(await run('start', 'wrong'));
    expect(lines.map(({ line }) => line).join('\n')).toContain('REQUEST_TIMEOUT');
    expect(lines.at(-1)).toEqual({ exit_code: 78 });
  });
});

describe('the process', () => {
  test('the address is printed where there is no desktop, and another one opens the page again', async () => {
    expect(printed).toMatch(/http:\/\/127\.0\.0\.1:\d+\/#[\w-]{43}\n/);
    const { stdout } = await project.manage(['ui']);
    await open(stdout);
    expect((await json('status')).page).toEqual({ port: pagePort, pid: expect.any(Number), background: false });
  });

  test('a port that is taken is an error that names its holder', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    for (const words of [[], ['--background']]) {
      const beside = await createProject({ isBuilt: true });
      const { code, stderr } = await beside.manage(['ui', ...words, '--port', String(port)]);
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(new RegExp(`port ${port} is held by pid ${process.pid}`)),
      ]);
      await beside.dispose();
    }
    other.close();
  });

  test('Ctrl-C ends it, with exit status 0 and without an address that works', async () => {
    await project.manage(['ui']);
    const ended = once(server, 'exit');
    server.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
    expect(existsSync(join(project.root, 'state/page.secret'))).toBe(false);
    expect((await json('status')).page).toBeNull();
  });

  test('kept by PM2 it is known to start, stop, status and service, and its log has no address', async () => {
    const { stdout, code } = await project.manage(['ui', '--background', '--port', String(pagePort)]);
    expect(code).toBe(0);
    session = await open(stdout);
    expect((await json('status')).page).toMatchObject({ port: pagePort, background: true });
    expect((await project.manage(['stop', 'all'])).stderr).toContain('page stopped');
    expect((await json('status')).page).toBeNull();
    expect((await project.manage(['start', 'demo'])).stderr).not.toContain('page');
    expect((await project.manage(['start', 'all'])).stderr).toContain('page up on');
    expect(JSON.parse((await project.pm2(['jlist'])).stdout).map(({ name }: { name: string }) => name)).toContain(
      'claude-code-proxy-ui',
    );
    expect(readFileSync(join(project.root, 'logs/ui/console.log'), 'utf8')).not.toContain('#');
    expect(statSync(join(project.root, 'state/page.json')).mode & 0o777).toBe(0o600);
    expect((await project.manage(['ui', '--stop'])).stderr).toContain('page stopped');
    expect((await project.manage(['start', 'all'])).stderr).not.toContain('page');
  });
});
