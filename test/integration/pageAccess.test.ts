import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KEY_HEADER } from '../../src/cli/ui/contract.ts';
import { createAddressSecret } from '../../src/cli/ui/pageAccess.ts';
import { type Answer, type PageStage, startPageStage } from '../helpers/pageServer.ts';

/** What only the owner's page may ask for. */
const READS = [
  '/api/now',
  '/api/requests',
  '/api/request?id=req_1&time=2026-11-20T10:00:00.000Z',
  '/api/usage',
  '/api/usage.csv',
  '/api/sessions',
  '/api/setup',
  '/api/live',
  '/api/nothing',
];
const ACTION = JSON.stringify({ command: 'start', instance: 'demo' });

/** Nobody may learn more from a refusal than that it is one. */
function expectForbidden(answer: Answer): void {
  expect(answer.status).toBe(403);
  expect(JSON.parse(answer.text)).toEqual({
    error: { message: 'this page belongs to who has started it', remedy: 'open it with: ./manage ui' },
  });
  expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
  expect(answer.headers['set-cookie']).toBeUndefined();
}

async function expectAllForbidden(stage: PageStage, headers: Record<string, string | undefined>): Promise<void> {
  for (const path of READS) expectForbidden(await stage.ask('GET', path, headers));
  expectForbidden(await stage.ask('POST', '/api/actions', headers, ACTION));
}

const without = (headers: Record<string, string>, name: string) =>
  Object.fromEntries(Object.entries(headers).filter(([header]) => header !== name));

test('A1 the page listens on this machine alone', async () => {
  const { port } = await startPageStage();
  const others = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const addresses = others
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address);
  for (const address of ['127.0.0.2', ...addresses]) {
    const isRefused = new Promise((done) => {
      const socket = connect(port, address, () => done(socket.destroy() === undefined));
      socket.on('error', () => done(true));
    });
    expect([address, await isRefused]).toEqual([address, true]);
  }
});

test('A2 A7 without the secret of its address the page shows nothing to anybody', async () => {
  const stage = await startPageStage();
  await expectAllForbidden(stage, {});
  expect((await stage.ask('GET', '/')).text).toBe('<!doctype html>');
  expectForbidden(await stage.ask('GET', '/index.html'));
  expectForbidden(await stage.ask('GET', '/../state/page.secret'));
});

describe('A7 what opens the page', () => {
  test('the secret of an address works once, and its answer lets nobody else in', async () => {
    const stage = await startPageStage();
    const body = JSON.stringify({ secret: createAddressSecret(stage.root) });
    const first = await stage.ask('POST', '/api/session', {}, body);
    expect(first.status).toBe(200);
    expect(first.headers['set-cookie']?.[0]).toMatch(
      new RegExp(`^claude-code-proxy-page-${stage.port}=[\\w-]{43}; HttpOnly; SameSite=Strict; Path=/$`),
    );
    expectForbidden(await stage.ask('POST', '/api/session', {}, body));
    expect(existsSync(join(stage.root, 'state/page.secret'))).toBe(false);
  });

  test('a new address makes the one before useless', async () => {
    const stage = await startPageStage();
    const before = createAddressSecret(stage.root);
    const secret = createAddressSecret(stage.root);
    expectForbidden(await stage.ask('POST', '/api/session', {}, JSON.stringify({ secret: before })));
    expect((await stage.ask('POST', '/api/session', {}, JSON.stringify({ secret }))).status).toBe(200);
  });

  test('another start of the server takes nothing that was valid for the one before', async () => {
    const headers = await (await startPageStage()).open();
    const stage = await startPageStage();
    const cookie = headers['cookie']?.replace(/page-\d+/, `page-${stage.port}`);
    await expectAllForbidden(stage, { ...headers, cookie });
  });

  test('the file of the secret is its owner’s alone', async () => {
    const stage = await startPageStage();
    const path = join(stage.root, 'state/page.secret');
    writeFileSync(path, '{}', { mode: 0o644 });
    createAddressSecret(stage.root);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('another user of the machine cannot read it', async ({ skip }) => {
    const stage = await startPageStage();
    createAddressSecret(stage.root);
    for (const folder of [stage.root, join(stage.root, 'state')]) chmodSync(folder, 0o755);
    if (process.getuid?.() !== 0) skip('only root can become another user');
    const words = ['-c', `cat '${join(stage.root, 'state/page.secret')}'`];
    const { status, stdout } = spawnSync('/bin/sh', words, { uid: 65_534, gid: 65_534, encoding: 'utf8' });
    expect([status === 0, stdout]).toEqual([false, '']);
  });
});

test('A3 cookie and key are needed together, and of the same session', async () => {
  const stage = await startPageStage();
  const [one, other] = [await stage.open(), await stage.open()];
  expect((await stage.ask('GET', '/api/requests', one)).status).toBe(200);
  // What another port of this machine gets from the browser.
  await expectAllForbidden(stage, without(one, KEY_HEADER));
  await expectAllForbidden(stage, without(one, 'cookie'));
  await expectAllForbidden(stage, { ...one, cookie: other['cookie'] });
  await expectAllForbidden(stage, { ...one, [KEY_HEADER]: `${one[KEY_HEADER]}x` });
});

test.each([
  ['a name that was turned to this machine', (port: number) => `evil.example:${port}`],
  ['this machine’s name without its port', () => '127.0.0.1'],
  ['another port', (port: number) => `127.0.0.1:${port + 1}`],
  ['a name that begins like ours', (port: number) => `localhost.evil.example:${port}`],
  ['an empty Host', () => ''],
])('A4 with a Host that is %s nothing is answered, not even the page', async (_name, hostOf) => {
  const stage = await startPageStage();
  const headers = { ...(await stage.open()), host: hostOf(stage.port) };
  await expectAllForbidden(stage, headers);
  for (const path of ['/', '/page.js']) expectForbidden(await stage.ask('GET', path, headers));
  const body = JSON.stringify({ secret: createAddressSecret(stage.root) });
  expectForbidden(await stage.ask('POST', '/api/session', { host: hostOf(stage.port) }, body));
});

test('A4 with two Hosts nothing is answered', async () => {
  const stage = await startPageStage();
  const headers = { ...(await stage.open()), host: [`127.0.0.1:${stage.port}`, `127.0.0.1:${stage.port}`] };
  const answer = await stage.ask('GET', '/api/now', headers);
  expect([400, 403]).toContain(answer.status);
});

test.each([
  ['the page of a site', () => 'https://evil.example'],
  ['a file, a sandboxed frame or a redirect', () => 'null'],
  ['a page on another port of this machine', () => 'http://127.0.0.1:3000'],
  ['the other name of this machine', (port: number) => `http://localhost:${port}`],
  ['an extension of the browser', () => 'chrome-extension://abcdefghijklmnop'],
])('A5 %s gets nothing, even with cookie and key', async (_name, originOf) => {
  const stage = await startPageStage();
  const headers = { ...(await stage.open()), origin: originOf(stage.port) };
  await expectAllForbidden(stage, headers);
  for (const path of ['/', '/page.js']) expectForbidden(await stage.ask('GET', path, headers));
  const body = JSON.stringify({ secret: createAddressSecret(stage.root) });
  expectForbidden(await stage.ask('POST', '/api/session', { origin: originOf(stage.port) }, body));
});

test.each(['cross-site', 'same-site', 'none'])('A5 nor does a request that the browser marks as %s', async (site) => {
  const stage = await startPageStage();
  const headers = { ...(await stage.open()), 'sec-fetch-site': site };
  await expectAllForbidden(stage, headers);
  if (site !== 'none') expectForbidden(await stage.ask('GET', '/page.js', headers));
});

test('A5 our own page gets what it asks for, by both names of this machine', async () => {
  const stage = await startPageStage();
  const session = await stage.open();
  for (const name of ['127.0.0.1', 'localhost']) {
    const host = `${name}:${stage.port}`;
    const headers = { ...session, host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' };
    expect((await stage.ask('GET', '/api/requests', headers)).status).toBe(200);
  }
  // As a file or a mail leads there.
  const opened = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  expect((await stage.ask('GET', '/', opened)).status).toBe(200);
  expectForbidden(await stage.ask('GET', '/', { ...opened, 'sec-fetch-dest': 'iframe' }));
});

test('A5 no preflight and no other method is answered', async () => {
  const stage = await startPageStage();
  const headers = await stage.open();
  for (const method of ['OPTIONS', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'TRACE']) {
    const { status } = await stage.ask(method, '/api/actions', { ...headers, 'access-control-request-method': 'POST' });
    expect([method, status]).toEqual([method, 403]);
  }
});

test.each(['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'])(
  'A6 what a form can send (%s) starts nothing',
  async (type) => {
    const stage = await startPageStage();
    const headers = { ...(await stage.open()), 'content-type': type };
    const { status } = await stage.ask('POST', '/api/actions', headers, ACTION);
    expect([400, 415]).toContain(status);
    expect((await stage.ask('POST', '/api/session', { 'content-type': type }, ACTION)).status).not.toBe(200);
  },
);

test('A7 every answer forbids to be kept, framed, guessed and to load from elsewhere', async () => {
  const stage = await startPageStage();
  const session = await stage.open();
  for (const [path, headers] of [
    ['/', {}],
    ['/page.js', {}],
    ['/api/requests', session],
    ['/api/now', {}],
    ['/nothing', session],
  ] as const) {
    const answer = await stage.ask('GET', path, headers);
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
    const policy = answer.headers['content-security-policy'];
    expect(policy).toMatch(/^default-src 'none'; /);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:|data:|blob:/);
  }
});

test('A7 the address stands nowhere but in files of its owner', async () => {
  const stage = await startPageStage();
  const secret = createAddressSecret(stage.root);
  await stage.ask('POST', '/api/session', {}, JSON.stringify({ secret }));
  for (const path of ['/', '/page.js']) expect((await stage.ask('GET', path)).text).not.toContain(secret);
  const fromEnvironment = readFileSync('/proc/self/environ', 'utf8');
  expect(fromEnvironment).not.toContain(secret);
});

test('A8 an action runs for an instance of the project alone, and only what the page may start', async () => {
  const stage = await startPageStage();
  const session = await stage.open();
  const run = (body: unknown) => stage.ask('POST', '/api/actions', session, JSON.stringify(body));
  const done = await run({ command: 'start', instance: 'demo' });
  expect(
    done.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([{ line: 'start demo' }, { exit_code: 0 }]);
  for (const body of [
    { command: 'remove', instance: 'demo' },
    { command: 'start', instance: 'all' },
    { command: 'start', instance: '--help' },
    { command: 'start', instance: '../demo' },
    { command: ['start'], instance: 'demo' },
    { instance: 'demo' },
    [],
    null,
  ]) {
    expect([body, (await run(body)).status]).toEqual([body, 400]);
  }
});

test('A9 wrong secrets are not looked at for a while, and the right one opens all the same', async () => {
  const stage = await startPageStage();
  const secret = createAddressSecret(stage.root);
  const guess = () => stage.ask('POST', '/api/session', {}, JSON.stringify({ secret: 'x'.repeat(43) }));
  for (let count = 0; count < 20; count += 1) expectForbidden(await guess());
  const refused = await guess();
  expect([refused.status, Number(refused.headers['retry-after']) > 0]).toEqual([429, true]);
  expect((await stage.ask('POST', '/api/session', {}, JSON.stringify({ secret }))).status).toBe(200);
});
