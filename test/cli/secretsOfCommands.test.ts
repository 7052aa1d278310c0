import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeUpstream, startFakeUpstream } from '../helpers/fakeUpstream.ts';
import { expectNoSecret } from '../helpers/secretForms.ts';
import { call } from '../helpers/startApp.ts';
import { waitUntil } from '../helpers/waitUntil.ts';
import { createProject, type TemporaryProject } from './temporaryProject.ts';

// Of no shape by which a key could be known, so that only their values can give them away.
const TOKEN = 'canary+token/of=the-clients';
const KEYS = {
  inProvidersFile: 'canary+first/key=of-the-file',
  ofSecretFile: 'canary+third/key=in-a-file-of-its-own',
  ofModel: 'canary+fourth/key=of-a-model',
  inHeader: 'canary+fifth/key=in-a-header',
  ofProxy: 'canary-sixth-password-of-the-proxy',
};
const IN_SHELL = { MY_API_KEY: 'canary+seventh/key=in-the-shell' };
const keys = [...Object.values(KEYS), ...Object.values(IN_SHELL)];
const all = [...keys, TOKEN];

let project: TemporaryProject;
let upstream: FakeUpstream;
let port: number;
const manage = (words: readonly string[]) => project.manage(words, { ...IN_SHELL, INIT_CWD: dirname(project.root) });

const ask = (path: string, body?: object) =>
  call(`http://127.0.0.1:${port}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': TOKEN },
    body: body === undefined ? undefined : JSON.stringify(body),
  });

/** Says every credential back, as it came and encoded: the worst that a provider can do. */
const echo = (header: string) => {
  const bare = header.replace(/^Bearer /, '');
  const forms = [bare, encodeURIComponent(bare), Buffer.from(bare).toString('base64')];
  return forms.map((form) => `not a key: ${form}.`).join(' ');
};

beforeAll(async () => {
  project = await createProject({ binary: resolve(import.meta.dirname, '..', '..', 'dist', 'claude-code-proxy') });
  upstream = await startFakeUpstream({
    '*': (response, { headers }) => {
      const words = ['authorization', 'x-team-token'].map((name) => echo(String(headers[name]))).join(' ');
      response.writeHead(400, { 'content-type': 'application/json', 'x-echo': String(headers.authorization) });
      response.end(JSON.stringify({ error: { message: words } }));
    },
  });
  const envs = join(project.root, 'envs');
  const hooks = join(project.root, 'hooks', 'hooks.mjs');
  mkdirSync(dirname(hooks));
  writeFileSync(hooks, 'export const response = () => {}; export const request = () => { throw new Error("odd"); };');
  writeFileSync(join(envs, 'third.key'), KEYS.ofSecretFile, { mode: 0o600 });
  const server = { base_url: upstream.url, models: { big: ['large'], small: ['small'] } };
  const providers = [{ name: 'first', ...server, api_key: KEYS.inProvidersFile }];
  writeFileSync(join(envs, 'these.json'), JSON.stringify({ providers }), { mode: 0o600 });
  const model = { model_id: 'mine', model_name: 'x', api_base: upstream.url, api_key_name: 'KEY_OF_MODEL' };
  writeFileSync(join(envs, 'those.json'), JSON.stringify([model]), { mode: 0o600 });
  port = await project.addInstance('full', [
    'PROVIDER=custom',
    `OPENAI_BASE_URL=${upstream.url}`,
    `OPENAI_API_KEY_FILE=${join(envs, 'third.key')}`,
    'BIG_MODEL=own-large',
    'SMALL_MODEL=own-small',
    `ANTHROPIC_API_KEY=${TOKEN}`,
    `KEY_OF_MODEL=${KEYS.ofModel}`,
    `CUSTOM_HEADER_X_TEAM_TOKEN=${KEYS.inHeader}`,
    `HTTPS_PROXY=http://me:${KEYS.ofProxy}@127.0.0.1:9`,
    'PROVIDERS_FILE=envs/these.json',
    'MODELS_FILE=envs/those.json',
    `HOOKS_FILE=${hooks}`,
    'LOG_LEVEL=debug',
  ]);
  const started = await manage(['start', 'all']);
  expect(started.code, started.stderr).toBe(0);
  for (const model of ['own-large', 'first,large', 'custom/mine', 'claude-opus-5']) {
    for (const stream of [true, false]) {
      const answer = await ask('/v1/messages', {
        model,
        stream,
        max_tokens: 9,
        messages: [{ role: 'user', content: 'x' }],
      });
      expect(answer.text).toContain('not a key');
      expectNoSecret(answer.text + JSON.stringify(answer.headers), all);
    }
  }
  await waitUntil('they are logged', async () => (await manage(['logs', 'full'])).stdout.includes('not a key'));
});
afterAll(async () => {
  await project.dispose();
  await upstream.close();
});

test('S1 every credential was really used', () => {
  const sent = JSON.stringify(upstream.requests.map(({ headers }) => headers));
  for (const key of [KEYS.inProvidersFile, KEYS.ofSecretFile, KEYS.ofModel, KEYS.inHeader]) expect(sent).toContain(key);
  expect(sent).not.toContain(TOKEN);
});

test.each([
  'status',
  'status --json',
  'logs',
  'logs full --json',
  'top --json',
  'doctor',
  'doctor --json',
  'usage --json',
  'statusline full',
  'test full',
  'pm2 jlist',
  'pm2 describe full',
  'pm2 env 0',
  'version',
  'restart full',
  'reload full',
])('S1 no secret in what ./manage %s prints', async (words) => {
  const { stdout, stderr } = await manage(words.split(' '));
  expect(stdout + stderr).not.toBe('');
  expectNoSecret(stdout + stderr, all);
});

test('S1 ./manage env prints the clients’ token, which is for the clients, and no key', async () => {
  const { stdout, stderr } = await manage(['env', 'full']);
  expect(stdout).toContain(TOKEN);
  expectNoSecret(stdout + stderr, keys);
});

test('S1 no secret in what the instance says of itself', async () => {
  for (const path of ['/', '/health', '/v1/models', '/v1/stats', '/metrics', '/test-connection', '/nothing']) {
    const answer = await ask(path);
    expectNoSecret(answer.text + JSON.stringify(answer.headers), all);
  }
});

test('S1 no secret in a bundle, nor in any file that was written', async () => {
  expect((await manage(['bundle'])).code).toBe(0);
  const base = dirname(project.root);
  const entries = readdirSync(base, { recursive: true, encoding: 'utf8' });
  const written = entries.filter((path) => /^pm2\/|^project\/(?:logs|state)\/|^[^/]*report[^/]*$/.test(path));
  const files = written.map((path) => join(base, path)).filter((path) => statSync(path).isFile());
  expect(files.filter((file) => /report-[^/]*\.txt$|full\.log$|console\.log$/.test(file))).toHaveLength(3);
  for (const file of files) {
    const bytes = readFileSync(file);
    const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
    expectNoSecret(`${file}\n${text}`, all);
  }
});

test.runIf(process.platform === 'linux')('S1 no secret in what other processes see of the instance', async () => {
  const [row] = await project.status();
  for (const name of ['environ', 'cmdline', 'comm'])
    expectNoSecret(readFileSync(`/proc/${row?.pid}/${name}`, 'latin1'), all);
});
