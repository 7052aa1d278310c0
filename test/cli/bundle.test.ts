import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAuthority } from '../helpers/certificate.ts';
import { type FakeUpstream, json, startFakeUpstream } from '../helpers/fakeUpstream.ts';
import { call } from '../helpers/startApp.ts';
import { waitUntil } from '../helpers/waitUntil.ts';
import { createProject, type TemporaryProject } from './temporaryProject.ts';

const KEY = 'canaryofthekey-4f9a8b7c';
const TOKEN = 'canary-of-the-token-0a1b2c3d';
const BROKEN_KEY = 'canary of a wrong file';
const IN_SHELL = 'canary-of-the-shell-1234567890';
const SAID = 'canary words of a conversation';
const ECHOED = 'canary words of the provider';

let project: TemporaryProject;
let upstream: FakeUpstream;
let folder: string;
const bundle = (...words: string[]) =>
  project.manage(['bundle', ...words], { INIT_CWD: folder, ANTHROPIC_AUTH_TOKEN: IN_SHELL, MY_SECRET: IN_SHELL });

beforeAll(async () => {
  project = await createProject({ binary: resolve(import.meta.dirname, '..', '..', 'dist', 'claude-code-proxy') });
  folder = dirname(project.root);
  upstream = await startFakeUpstream({ '*': json(400, { error: { message: `${ECHOED}: "${SAID}" is too rude` } }) });
  const port = await project.addInstance('one', [
    'PROVIDER=custom',
    `OPENAI_BASE_URL=${upstream.url}`,
    'BIG_MODEL=the-model',
    'SMALL_MODEL=the-model',
    `OPENAI_API_KEY=${KEY}`,
    `ANTHROPIC_API_KEY=${TOKEN}`,
  ]);
  writeFileSync(
    join(project.root, 'envs', 'wrong.env'),
    `PROVIDER=demo\nPORT=99999999\nOPENAI_API_KEY="${BROKEN_KEY}" # mine\n`,
  );
  expect((await project.manage(['start', 'one'])).code).toBe(0);
  const answer = await call(`http://127.0.0.1:${port}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': TOKEN },
    body: JSON.stringify({ model: 'claude-opus-5', max_tokens: 9, messages: [{ role: 'user', content: SAID }] }),
  });
  expect(answer.text).toContain(ECHOED);
  await waitUntil('the error is logged', async () => (await project.manage(['logs', 'one'])).stdout.includes(ECHOED));
});
afterAll(async () => {
  await project.dispose();
  await upstream.close();
});

function expectNoCanary(text: string): void {
  expect(text).not.toBe('');
  expect(text.match(/canary\S*/g) ?? []).toEqual([]);
  for (const secret of [KEY, TOKEN, IN_SHELL])
    expect(text).not.toContain(Buffer.from(secret).toString('base64').slice(0, -4));
}

describe('./manage bundle', () => {
  test('writes one file for the user only, where git does not see it, and says so', async () => {
    const { code, stdout, stderr } = await bundle();
    expect(code).toBe(0);
    const file = stdout.trim();
    expect(dirname(file)).toBe(join(project.root, 'state'));
    const repository = resolve(import.meta.dirname, '..', '..');
    const inRepository = join('state', basename(file));
    expect(execFileSync('git', ['check-ignore', inRepository], { cwd: repository, encoding: 'utf8' }).trim()).toBe(
      inRepository,
    );
    expect(file).toMatch(/claude-code-proxy-report-\d{8}-\d{6}\.txt$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(stderr).toContain('Look through it before you send it');
    const text = readFileSync(file, 'utf8');
    expectNoCanary(text + stderr);
    expect(text).toMatch(/^== system\nmanager: \d/m);
    expect(text).toMatch(/^name: one\nstate: serving$/m);
    expect(text).toContain('the-model');
    expect(text).not.toContain(folder);
  });

  test('as JSON: versions, configuration with masks, state, health, PM2, errors by their kind, doctor', async () => {
    const { code, stdout } = await bundle('--json');
    expect(code).toBe(0);
    expectNoCanary(stdout);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      schema: 1,
      doctor: expect.arrayContaining([expect.objectContaining({ check: 'runtime' })]),
      system: { manager: expect.any(String), node: process.versions.node },
    });
    const [one, wrong] = report.instances;
    expect(one).toMatchObject({
      name: 'one',
      state: 'serving',
      configuration: expect.arrayContaining([
        expect.stringMatching(/provider key\s+OPENAI_API_KEY in the env file, \*{4}/),
      ]),
      health: { instance: 'one', last_error: { status: 400, type: 'invalid_request_error' } },
      pm2: { status: 'online', restarts: 0 },
    });
    expect(one.last_errors.at(-1)).toMatchObject({
      status: 400,
      error_type: 'invalid_request_error',
      upstream_model: 'the-model',
    });
    expect(wrong).toMatchObject({ name: 'wrong', configuration: [], health: null });
    expect(wrong.problems.join('\n')).toMatch(/^envs\/wrong\.env:2 {2}PORT/m);
  });

  test('--output writes where the user wants it, and over nothing', async () => {
    const { code, stdout } = await bundle('one', '--output', 'report.txt');
    expect([code, stdout.trim()]).toEqual([0, join(folder, 'report.txt')]);
    const again = await bundle('one', '--output', 'report.txt');
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('is there already')]);
  });

  test('no word of a provider, no path, no end of a key, no name of user and machine, wherever they were planted', async () => {
    const place = join(folder, 'canary folder');
    mkdirSync(place);
    writeFileSync(join(place, 'canary root.pem'), createAuthority('canary').cert);
    const refused = await startFakeUpstream({
      '*': json(401, { error: { message: `${ECHOED}: see canary-link.example/keys`, code: 'canary_code' } }),
    });
    const key = 'key-of-the-third-instance-RT=9';
    const port = await project.addInstance('three', [
      'PROVIDER=custom',
      `OPENAI_BASE_URL=${refused.url}`,
      `OPENAI_API_KEY=${key}`,
      'BIG_MODEL=the-model',
      `LOG_DIR='${join(place, 'canary logs')}'`,
      `STATE_DIR='${join(place, 'canary state')}'`,
      `CA_FILE='${join(place, 'canary root.pem')}'`,
    ]);
    const missing = join(place, 'canary missing.pem');
    await project.addInstance('four', [`CA_FILE='${missing}'`]);
    await project.addInstance('five', [`CA_FILE=${missing.replaceAll(' ', '-')}`]);
    expect((await project.manage(['start', 'three'])).code).toBe(0);
    const answer = await call(`http://127.0.0.1:${port}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'claude-opus-5', max_tokens: 9, messages: [{ role: 'user', content: SAID }] }),
    });
    expect(answer.text).toContain(ECHOED);
    await waitUntil('it is known', async () => (await project.manage(['status', '--json'])).stdout.includes('canary'));
    const shell = { INIT_CWD: place, USER: 'canary-user', LOGNAME: 'canary-user', PM2_HOME: project.pm2Home };
    for (const words of [['--json'], ['--output', join(folder, 'all.txt')]]) {
      const { code, stdout } = await project.manage(['bundle', ...words], shell);
      expect(code).toBe(0);
      const text = words.length === 1 ? stdout : readFileSync(join(folder, 'all.txt'), 'utf8');
      expect(text).toContain('three');
      expectNoCanary(text);
      for (const trace of ['RT=9', KEY.slice(-4), TOKEN.slice(-4), basename(folder), place, folder])
        expect(text).not.toContain(trace);
      for (const name of [userInfo().username, hostname()])
        if (name.length >= 3 && name !== 'root' && name !== 'localhost') expect(text).not.toContain(name);
    }
    await project.manage(['remove', 'four', '--yes']);
    await project.manage(['remove', 'five', '--yes']);
    await project.manage(['remove', 'three', '--yes']);
    await refused.close();
  });

  test('of one instance', async () => {
    const report = JSON.parse((await bundle('wrong', '--json')).stdout);
    expect(report.instances.map(({ name }: { name: string }) => name)).toEqual(['wrong']);
  });

  test('an unknown instance is a wrong use, and nothing is written', async () => {
    const before = readdirSync(folder);
    expect((await bundle('oen')).code).toBe(2);
    expect(readdirSync(folder)).toEqual(before);
  });
});
