import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { createProject, freePort, type TemporaryProject } from '../cli/temporaryProject.ts';
import { type Behaviour, type FakeUpstream, json, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message } from '../helpers/startApp.ts';
import { waitUntil } from '../helpers/waitUntil.ts';
import {
  endBrowserAfterAll,
  findAccessFaults,
  missing,
  openWindow,
  readOverhang,
  show,
  test,
  untilLive,
} from './browser.ts';

/** The page before real instances, whose providers answer, fail, are slow, and say what would be markup or turn the text around. */
const repository = resolve(import.meta.dirname, '..', '..');
const HOSTILE =
  '<img src=x onerror="window.hacked=1"><script>window.hacked=2</script>\u202egnirts\u202c\u0007&lt;b&gt;';
const HOSTILE_NAME = '"><svg/onload=window.hacked=3>\u202emodel';

let project: TemporaryProject;
let upstream: FakeUpstream;
let server: ChildProcess | undefined;
/** Answers the requests that wait for the slow model. */
let releaseSlow = () => {};
const ports: Record<string, number> = {};

const slow: Behaviour = async (response, request) => {
  await new Promise<void>((release) => {
    releaseSlow = release;
  });
  await words('at last')(response, request);
};

beforeAll(async () => {
  if (missing !== undefined) return;
  upstream = await startFakeUpstream({
    good: words('hello', { prompt_tokens: 1200, completion_tokens: 40, prompt_tokens_details: { cached_tokens: 900 } }),
    shaky: json(503, { error: { message: 'the provider is overloaded' } }),
    limited: json(400, { error: { message: HOSTILE } }),
    slow,
    '*': words('as you like'),
  });
  project = await createProject({ isBuilt: true });
  await cp(join(repository, 'dist', 'page'), join(project.root, 'dist', 'page'), { recursive: true });
  ports['demo'] = await project.addInstance('demo');
  const custom = [
    'PROVIDER=custom',
    `OPENAI_BASE_URL=${upstream.url}`,
    'OPENAI_API_KEY=key-of-the-provider',
    'MAX_RETRIES=0',
  ];
  ports['plain'] = await project.addInstance('plain', [
    ...custom,
    'BIG_MODEL=good',
    'MIDDLE_MODEL=slow',
    'SMALL_MODEL=limited',
  ]);
  const provider = (name: string, model: string) => ({
    name,
    preset: 'custom',
    base_url: upstream.url,
    api_key: `key-of-${name}-0001`,
    models: { big: [model], middle: [model], small: [model] },
  });
  await writeFile(
    join(project.root, 'two.providers.json'),
    JSON.stringify({ providers: [provider('first', 'shaky'), provider('second', 'good')] }),
    { mode: 0o600 },
  );
  ports['two'] = await freePort();
  await writeFile(
    join(project.root, 'envs', 'two.env'),
    `PROVIDERS_FILE=two.providers.json\nPORT=${ports['two']}\nDRAIN_SECONDS=5\nMAX_RETRIES=0\n`,
    { mode: 0o600 },
  );
  const started = await project.manage(['start', 'all']);
  expect(started.code, started.stderr).toBe(0);
  await traffic();
}, 240_000);
afterAll(async () => {
  if (missing !== undefined) return;
  releaseSlow();
  await killServer();
  await project.dispose();
  await upstream.close();
});
endBrowserAfterAll();

/** One request of a session of Claude Code. */
function ask(instance: string, model: string, headers: Record<string, string> = {}) {
  const { headers: own = {}, ...options } = message(model);
  const session = { 'x-claude-code-session-id': '9b2f6c1e-4b5a-4a53-9a55-0c1d2e3f4a5b' };
  return call(`http://127.0.0.1:${ports[instance]}/v1/messages`, {
    ...options,
    headers: { ...own, ...session, ...headers },
  });
}

async function traffic(): Promise<void> {
  for (let count = 0; count < 3; count += 1) await ask('demo', 'claude-opus-5');
  await ask('plain', 'claude-opus-5');
  await ask('two', 'claude-opus-5');
  await ask('plain', 'claude-haiku-4-5');
  await ask('plain', HOSTILE_NAME);
  await ask('plain', 'claude-opus-5', { 'x-claude-code-session-id': HOSTILE_NAME.replace('\u202e', '') });
  await waitUntil('all are logged', async () => (await logged()).length === 8);
  await waitUntil('all are counted', async () => (await manageJson('usage')).total.requests === 8);
}

// biome-ignore lint/suspicious/noExplicitAny: what programs get as JSON
const manageJson = async (...command: string[]): Promise<any> =>
  JSON.parse((await project.manage([...command, '--json'])).stdout);

const logged = async (): Promise<{ id: string; status: number; duration_ms: number; instance: string }[]> =>
  (await project.manage(['logs', 'all', '--since', '1d', '--json'])).stdout
    .split('\n')
    .filter((line) => line.includes('"event":"request"'))
    .map((line) => JSON.parse(line));

/** Starts the page's server and gives the address that opens it; it takes the port that it had before. */
async function startServer(): Promise<string> {
  const port = lastAddress === '' ? await freePort() : Number(new URL(lastAddress).port);
  const environment = { PATH: process.env['PATH'] ?? '', HOME: project.home, PM2_HOME: project.pm2Home };
  server = spawn(join(project.root, 'manage'), ['ui', '--port', String(port)], {
    cwd: project.root,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let text = '';
  lastAddress = await new Promise<string>((done, failed) => {
    const read = (piece: Buffer) => {
      text += piece;
      const address = /http:\/\/127\.0\.0\.1:\d+\/#[\w-]+(?=\s)/.exec(text)?.[0];
      if (address !== undefined) done(address);
    };
    server?.stdout?.on('data', read);
    server?.stderr?.on('data', read);
    server?.once('exit', () => failed(new Error(`the page's server has ended: ${text}`)));
  });
  return lastAddress;
}
let lastAddress = '';

async function killServer(): Promise<void> {
  if (server?.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  process.kill(-server.pid, 'SIGKILL'); // the launcher, and what it has started
  await ended;
}

/** Opens the page in a window of its own. */
async function open(view = 'now', options: Parameters<typeof openWindow>[0] = {}) {
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) await startServer();
  else lastAddress = (await project.manage(['ui'])).stdout.trim();
  const opened = await openWindow(options);
  await opened.page.goto(lastAddress);
  await untilLive(opened.page);
  if (view !== 'now') await show(opened.page, view);
  return opened;
}

const rowOf = (page: Page, name: string) =>
  page.locator('tr.opens', { has: page.getByRole('button', { name, exact: true }) });
const cellTexts = async (page: Page, name: string) =>
  (await rowOf(page, name).locator('td').allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' ').trim());

describe('figures', () => {
  test('now: those of status and top for the same moment', async () => {
    const { page, errors } = await open();
    const { instances } = await manageJson('status');
    const { instances: samples, total } = await manageJson('top');
    for (const { name, port, condition } of instances) {
      const [state = ''] = await cellTexts(page, name);
      expect(state).toContain(condition);
      if (condition === 'ready') expect(state).toContain(`port ${port}`);
      const { today } = samples.find((sample: { name: string }) => sample.name === name);
      expect((await cellTexts(page, name))[7]).toBe(String(today.failed_requests));
    }
    const figure = (title: string) => page.locator('.figures > div', { hasText: title }).locator('dd').innerText();
    expect(await figure('Requests today')).toBe(String(total.today.requests));
    expect(await figure('Failed today')).toMatch(new RegExp(`^${total.today.failed_requests}\\b`));
    expect(errors).toEqual([]);
  });

  test('requests: each record of the logs, the latest first, with why it went that way', async () => {
    const { page, errors } = await open('requests');
    await page.locator('.requests tr.opens').nth(7).waitFor();
    const records = (await logged()).reverse();
    const shown = page.locator('.requests tr.opens');
    expect(await shown.locator('td.instance').allInnerTexts()).toEqual(records.map(({ instance }) => instance));
    const statuses = await shown.locator('td.status').allInnerTexts();
    expect(statuses.map((text) => Number(/\d{3}/.exec(text)?.[0]))).toEqual(records.map(({ status }) => status));

    const fallback = records.findIndex(({ instance }) => instance === 'two');
    await page.locator('button.opener').nth(fallback).click();
    const detail = page.locator('tr.detail');
    await detail.getByRole('heading', { name: 'Why this route' }).waitFor();
    const text = await detail.innerText();
    expect(text).toContain('first,shaky');
    expect(text).toContain(records[fallback]?.id);
    expect(text).toMatch(/From the cache\s+900/);
    expect(statuses[fallback]).toContain('1 fallback');
    expect(errors).toEqual([]);
  });

  test('usage: that of the command, and the CSV to the letter', async () => {
    const { page } = await open('usage');
    await page.locator('table.usage tbody tr').first().waitFor();
    const { rows, total } = await manageJson('usage', '--by', 'model');
    const cells = await page
      .locator('table.usage tbody tr')
      .evaluateAll((lines) =>
        lines.map((line) =>
          (line as unknown as { innerText: string }).innerText.split('\t').map((text) => text.trim()),
        ),
      );
    expect(cells.map((line) => Number(line[1]))).toEqual(rows.map((row: { requests: number }) => row.requests));
    expect(cells.map((line) => Number(line[3]?.replaceAll(',', '')))).toEqual(
      rows.map((row: { input_tokens: number }) => row.input_tokens),
    );
    expect(await page.locator('table.usage tfoot td').first().innerText()).toBe(String(total.requests));
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download as CSV' }).click(),
    ]);
    const { stdout } = await project.manage(['usage', '--by', 'model', '--csv']);
    expect((await readFile(await download.path(), 'utf8')).trimEnd()).toBe(stdout.trimEnd());
    expect(download.suggestedFilename()).toMatch(/^usage-by-model-.*\.csv$/);
  });

  test('sessions: those of the command, with what leads back into them', async () => {
    const { page } = await open('sessions?range=1');
    const { rows } = await manageJson('usage', '--by', 'session');
    await page.locator('table.sessions tr.opens').first().waitFor();
    expect(await page.locator('table.sessions tr.opens').count()).toBe(rows.length);
    await page.locator('table.sessions button.opener').last().click();
    await page
      .getByText(/--resume 9b2f6c1e/)
      .first()
      .waitFor();
  });

  test('set-up: each file, its lines for Claude Code, and what doctor finds', async () => {
    const { page } = await open('setup');
    await page.getByText('./manage run plain', { exact: true }).waitFor();
    await page.getByText(`ANTHROPIC_BASE_URL=http://127.0.0.1:${ports['plain']}`).first().waitFor();
    const { checks, findings = checks } = await manageJson('doctor');
    const text = await page.locator('table.findings').innerText();
    for (const { detail } of findings.slice(0, 3)) expect(text).toContain(detail.slice(0, 20));
    expect(await page.locator('main').innerText()).not.toContain('key-of-the-provider');
  });
});

describe('what happens while the page is open', () => {
  test('a request appears by itself, also one that was slow', async () => {
    const { page } = await open('requests');
    await page.mouse.move(2, 2);
    await page.locator('.requests tr.opens').first().waitFor();
    const before = await page.locator('.requests tr.opens').count();
    const answer = ask('plain', 'claude-sonnet-5');
    await upstream.nextRequest();
    await page.evaluate("location.hash = 'now'");
    await waitUntil('it is in flight', async () => (await cellTexts(page, 'plain'))[4] === '1');
    await show(page, 'requests');
    releaseSlow();
    await answer;
    await page.locator('.requests tr.opens').nth(before).waitFor();
    expect(await page.locator('.requests td.model').first().innerText()).toContain('claude-sonnet-5 → slow');
  });

  test('filters leave what matches, also of what comes', async () => {
    const { page } = await open('requests?instance=plain&status=failed');
    await page.locator('.requests tr.opens').first().waitFor();
    const failed = (await logged()).filter(({ instance, status }) => instance === 'plain' && status >= 400).length;
    expect(await page.locator('.requests tr.opens').count()).toBe(failed);
    await page.mouse.move(2, 2);
    await ask('demo', 'claude-opus-5');
    await ask('plain', 'claude-haiku-4-5');
    await page.locator('.requests tr.opens').nth(failed).waitFor();
    expect(new Set(await page.locator('.requests td.instance').allInnerTexts())).toEqual(new Set(['plain']));
  });

  test('an instance that is killed is seen to come back', async () => {
    const { page } = await open();
    await page.getByRole('button', { name: 'two', exact: true }).click();
    const { pid } = (await project.status()).find(({ name }) => name === 'two') ?? {};
    await page.getByText(String(pid), { exact: true }).waitFor();
    process.kill(Number(pid), 'SIGKILL');
    await page.getByText(String(pid), { exact: true }).waitFor({ state: 'hidden' });
    await waitUntil('it is ready again', async () => (await cellTexts(page, 'two'))[0]?.includes('ready') === true);
    await page.locator('tr.detail dd', { hasText: /^1$/ }).first().waitFor();
  });

  test('stop and start run with a confirmation, line by line', async () => {
    const { page } = await open();
    const run = async (command: string) => {
      await page.getByRole('button', { name: `${command}…` }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('button', { name: command, exact: true }).click();
      await dialog.getByText('done').waitFor();
      expect(await dialog.getByRole('log').innerText()).toContain('demo');
      await dialog.getByRole('button', { name: 'Close', exact: true }).click();
    };
    await page.getByRole('button', { name: 'demo', exact: true }).click();
    await run('Stop');
    await waitUntil('it is stopped', async () => (await cellTexts(page, 'demo'))[0]?.includes('stopped') === true);
    expect((await project.status()).find(({ name }) => name === 'demo')?.pid).toBeNull();
    await run('Start');
    await waitUntil('it is ready', async () => (await cellTexts(page, 'demo'))[0]?.includes('ready') === true);
  });

  test('a reload of the page keeps it open, at the same view', async () => {
    const { page } = await open('requests?instance=two');
    await page.reload();
    await untilLive(page);
    await page.locator('.requests tr.opens').first().waitFor();
    expect(new Set(await page.locator('.requests td.instance').allInnerTexts())).toEqual(new Set(['two']));
  });

  test('its server is killed: the page says so, and goes on with the next address', async () => {
    const { page } = await open();
    await killServer();
    await page.getByText('does not answer').waitFor();
    const address = await startServer();
    await page.getByText('Open this page with its address').waitFor();
    await page.evaluate(`location.hash = ${JSON.stringify(new URL(address).hash)}`);
    await untilLive(page);
    await page.getByRole('button', { name: 'demo', exact: true }).waitFor();
    expect(page.url()).not.toContain(new URL(address).hash);
  });
});

test('names, errors and ids that are markup or turn the text around change nothing', async () => {
  const { page, errors, addresses } = await open();
  for (const view of ['now', 'requests', 'usage', 'usage?by=session', 'sessions?range=1', 'setup']) {
    await show(page, view);
    await waitUntil('it is drawn', async () => (await page.locator('main').innerText()).length > 50);
    const openers = page.locator('button.opener');
    for (let index = 0; index < (await openers.count()); index += 1) {
      await openers.nth(index).click();
      await page.locator('tr.detail h3').first().waitFor();
      expect(
        await page.evaluate("document.querySelectorAll('main img, main script, main b > b, svg[onload]').length"),
      ).toBe(0);
    }
    expect(await page.locator('main').innerText()).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
  }
  expect(await page.evaluate('window.hacked')).toBeUndefined();
  await show(page, 'requests');
  await page.locator('td.model', { hasText: String.raw`onload=window.hacked=3>\u202emodel` }).first().waitFor();
  expect(errors).toEqual([]);
  const origin = new URL(lastAddress).origin;
  expect(addresses.filter((address) => !address.startsWith(`${origin}/`) && !address.startsWith('blob:'))).toEqual([]);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`with real figures axe finds nothing either (${colorScheme}), and 360 px are enough`, async () => {
    const { page } = await open('now', { colorScheme, viewport: { width: 360, height: 740 } });
    for (const view of ['now', 'requests', 'usage', 'sessions', 'setup']) {
      await show(page, view);
      expect(await findAccessFaults(page)).toEqual([]);
      expect(await readOverhang(page), view).toBeLessThanOrEqual(0);
    }
  });
}

test('what the page loads is at most 120 kB, compressed', async () => {
  const { gzipSync } = await import('node:zlib');
  const files = await Promise.all(
    ['index.html', 'page.css', 'page.js'].map((name) => readFile(join(repository, 'dist', 'page', name))),
  );
  const sizes = files.map((bytes) => gzipSync(bytes, { level: 9 }).length);
  console.info(`the page: ${sizes.join(' + ')} bytes, compressed`);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(120_000);
});
