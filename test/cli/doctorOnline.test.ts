import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { capableModel } from '../helpers/capableModel.ts';
import { type FakeUpstream, json, startFakeUpstream } from '../helpers/fakeUpstream.ts';
import { createProject, type TemporaryProject } from './temporaryProject.ts';

const KEY = 'sk-canary-of-the-provider-1234567890';
const TOKEN = 'canary-token-of-the-instance-0987654321';

let project: TemporaryProject;
let upstream: FakeUpstream;

const custom = (url: string, lines: readonly string[]) => [
  'PROVIDER=custom',
  `OPENAI_BASE_URL=${url}`,
  'MAX_RETRIES=0',
  ...lines,
];

beforeAll(async () => {
  upstream = await startFakeUpstream({
    capable: capableModel,
    locked: json(401, { error: { message: `Incorrect API key provided: ${KEY}` } }),
    busy: json(529, { error: { message: 'overloaded' } }),
  });
  project = await createProject({ binary: resolve(import.meta.dirname, '..', '..', 'dist', 'claude-code-proxy') });
  const add = (name: string, ...lines: string[]) => project.addInstance(name, custom(upstream.url, lines));
  const key = `OPENAI_API_KEY=${KEY}`;
  await add('good', 'BIG_MODEL=capable', key, `ANTHROPIC_API_KEY=${TOKEN}`);
  await add('locked', 'BIG_MODEL=locked', key);
  await add('busy', 'BIG_MODEL=busy', key);
  await add('keyless', 'BIG_MODEL=capable');
  await project.addInstance('demo');
  expect((await project.manage(['start', 'good', 'locked', 'busy', 'keyless', 'demo'])).code).toBe(0);
  await add('resting', 'BIG_MODEL=capable', key);
});

afterAll(async () => {
  await project.dispose();
  await upstream.close();
});

/** What is said of key, provider and clock, as `check: result detail`. */
async function online(...names: string[]) {
  upstream.requests.length = 0;
  const { stdout, stderr } = await project.manage(['doctor', ...names, '--online', '--json']);
  expect(stdout + stderr).not.toContain(KEY);
  expect(stdout + stderr).not.toContain(TOKEN);
  expect(stderr).toContain('each instance that runs is asked for one token');
  const findings: { check: string; result: string; detail: string }[] = JSON.parse(stdout).findings;
  const asked = findings.filter(({ check }) => ['provider', 'key', 'clock'].includes(check));
  return asked.map(({ check, result, detail }) => `${check}: ${result} ${detail}`);
}

test('a provider that is reached, takes the key and has the same time, for one request of one token', async () => {
  expect(await online('good')).toEqual([
    expect.stringMatching(/^provider: ok reached: TCP 127\.0\.0\.1 port \d+$/),
    'key: ok OPENAI_API_KEY is accepted',
    'clock: ok agrees with the providers’',
  ]);
  expect(upstream.requests.map(({ body }) => body['max_tokens'])).toEqual([1]);
});

test('without --online nobody is asked', async () => {
  upstream.requests.length = 0;
  await project.manage(['doctor']);
  expect(upstream.requests).toHaveLength(0);
});

test.each([
  ['locked', /^key: fail \[locked 401\] the provider rejected OPENAI_API_KEY/],
  ['busy', /^key: warn not known, as the provider did not answer$/],
  ['keyless', /^key: ok not asked, as the key that Claude Code sends is used$/],
  ['resting', /^key: warn not asked, as the instance does not run with the present settings$/],
])('%s', async (name, expected) => {
  expect((await online(name))[1]).toMatch(expected);
});

test('a rejected key is a failure', async () => {
  expect((await project.manage(['doctor', 'locked', '--online'])).code).toBe(1);
});

test('the built-in provider is asked like the others, but needs no network', async () => {
  expect(await online('demo')).toEqual(['provider: ok not asked: built in', 'key: ok none needed']);
});

test('a provider that is not reached: the key is not asked for', async () => {
  await project.addInstance('nowhere', custom('http://127.0.0.1:9/v1', ['BIG_MODEL=x', `OPENAI_API_KEY=${KEY}`]));
  expect(await online('nowhere')).toEqual([expect.stringMatching(/^provider: fail TCP: nothing listens there/)]);
});

test('a clock that is wrong', async () => {
  const late = createServer((_request, response) => {
    response.setHeader('date', new Date(Date.now() + 7_200_000).toUTCString()).end();
  }).listen(0, '127.0.0.1');
  await once(late, 'listening');
  onTestFinished(() => void late.close());
  const { port } = late.address() as AddressInfo;
  await project.addInstance('late', custom(`http://127.0.0.1:${port}/v1`, ['BIG_MODEL=x']));
  expect(await online('late')).toContainEqual(
    expect.stringMatching(/^clock: warn is (?:2h 0m|1h 59m) behind the providers’$/),
  );
});
