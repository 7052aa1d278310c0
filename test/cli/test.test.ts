import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { CAPABLE_WINDOW, capableModel, capableResponses, exceptFor } from '../helpers/capableModel.ts';
import { type FakeUpstream, json, openEvents, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { startPickyUpstream } from '../helpers/pickyUpstream.ts';
import { toolsOf } from '../helpers/received.ts';
import { inputOf } from '../helpers/responsesTurn.ts';
import { pages, startSearchServer } from '../helpers/searchServer.ts';
import { turn } from '../helpers/turn.ts';
import { createProject, type Finished, type TemporaryProject } from './temporaryProject.ts';

const KEY = 'sk-canary-of-the-provider-1234567890';
const TOKEN = 'canary-token-of-the-instance-0987654321';

interface CheckRow {
  readonly check: string;
  readonly result: string;
  readonly detail: string;
  readonly quirks: readonly string[];
}

let project: TemporaryProject;
let upstream: FakeUpstream;

/** Fails in many ways, each in the test of its own. */
const clumsyModel = exceptFor({
  'run `echo ready`': words('<tool_call>{"name":"Bash","arguments":{"command":"echo ready"}}</tool_call>'),
  'in this one turn': turn({ calls: [{ name: 'Bash', input: { command: 'echo one' } }] }),
  'Which colour': words('I cannot see any image.'),
  'Think first': words('391'),
  alpha: words('alpha bravo charlie delta'),
  'Write it as JSON': words('The cat has four legs.'),
  'a a a a': json(400, { error: { message: 'no' } }),
});

/** Sees nothing, and reads what is said to it of pictures. */
const readingModel = exceptFor({
  'A red square.': turn({ text: 'Red.' }),
});

beforeAll(async () => {
  upstream = await startFakeUpstream({
    capable: capableModel,
    clumsy: clumsyModel,
    silent: openEvents,
    locked: json(401, { error: { message: `Incorrect API key provided: ${KEY}` } }),
  });
  project = await createProject({ binary: resolve(import.meta.dirname, '..', '..', 'dist', 'claude-code-proxy') });
  const add = (name: string, model: string, lines: readonly string[] = [], url = upstream.url) =>
    project.addInstance(name, [
      'PROVIDER=custom',
      `OPENAI_BASE_URL=${url}`,
      `BIG_MODEL=${model}`,
      'MAX_RETRIES=0',
      `QUIRK_CONTEXT_WINDOW=${CAPABLE_WINDOW}`,
      ...lines,
    ]);
  const key = `OPENAI_API_KEY=${KEY}`;
  await add('good', 'capable', [key, `ANTHROPIC_API_KEY=${TOKEN}`]);
  await add('clumsy', 'clumsy', [key, 'SMALL_MODEL=gone']);
  await add('locked', 'locked', [key]);
  await add('keyless', 'capable');
  await add('silent', 'silent', [key]);
  await add('nowhere', 'capable', [key], 'http://127.0.0.1:9/v1');
  await project.addInstance('demo');
  expect(
    (await project.manage(['start', 'good', 'clumsy', 'locked', 'keyless', 'silent', 'nowhere', 'demo'])).code,
  ).toBe(0);
  await add('resting', 'capable', [key]);
});

afterAll(async () => {
  await project.dispose();
  await upstream.close();
});

function rowsOf({ stdout }: Finished): Record<string, CheckRow> {
  const { schema, instances } = JSON.parse(stdout);
  expect(schema).toBe(1);
  return Object.fromEntries(instances[0].checks.map((row: CheckRow) => [row.check, row]));
}

const results = (rows: Record<string, CheckRow>) =>
  Object.fromEntries(Object.values(rows).map(({ check, result }) => [check, result]));

describe('a provider that can do everything', () => {
  test('the cheap test: network, key, model, stream; one request, and a table', async () => {
    upstream.requests.length = 0;
    const { code, stdout, stderr } = await project.manage(['test', 'good']);
    expect(stdout).toMatch(/^DNS +skipped +- +an address, not a name$/m);
    expect(stdout).toMatch(/^TCP +ok +\d+ +127\.0\.0\.1 port \d+$/m);
    expect(stdout).toMatch(/^TLS +skipped +- +plain HTTP$/m);
    expect(stdout).toMatch(/^key +ok +\d+ +OPENAI_API_KEY is accepted$/m);
    expect(stdout).toMatch(/^model capable +ok +\d+ +big, middle, small$/m);
    expect(stdout).toMatch(/^stream +ok +\d+ +first token after \d+\.\d s, /m);
    expect(stdout).toContain('Used: 1 request, 25 tokens in, 80 out, price unknown');
    expect(stderr).toContain('Testing good');
    expect(code).toBe(0);
    expect(upstream.requests).toHaveLength(1);
    expect(stdout + stderr).not.toContain(KEY);
    expect(stdout + stderr).not.toContain(TOKEN);
  });

  test('--full: every check is ok, as JSON too', async () => {
    const finished = await project.manage(['test', 'good', '--full', '--yes', '--json', '--quiet']);
    const rows = rowsOf(finished);
    expect(Object.values(rows).filter(({ result }) => result !== 'ok' && result !== 'skipped')).toEqual([]);
    expect(results(rows)).toMatchObject({
      'tool call': 'ok',
      'parallel calls': 'ok',
      image: 'ok',
      'image of a tool': 'ok',
      reasoning: 'ok',
      'cached tokens': 'ok',
      'stop sequence': 'ok',
      'structured output': 'ok',
      overflow: 'ok',
      'many tools': 'ok',
    });
    expect(rows['overflow']?.detail).toContain('prompt is too long: 6000 tokens > 3000 maximum');
    expect(finished.stderr).toBe('');
    expect(finished.code).toBe(0);
  });
});

test('--full by the Responses API: reasoning goes back, and the cache is found by the session', async () => {
  const strict = await startPickyUpstream(capableResponses());
  await project.addInstance('newest', [
    'PROVIDER=openai',
    `OPENAI_BASE_URL=${strict.url}`,
    `OPENAI_API_KEY=${KEY}`,
    'MAX_RETRIES=0',
    `QUIRK_CONTEXT_WINDOW=${CAPABLE_WINDOW}`,
  ]);
  expect((await project.manage(['start', 'newest'])).code).toBe(0);
  const finished = await project.manage(['test', 'newest', '--full', '--yes', '--json', '--quiet']);
  const rows = rowsOf(finished);
  expect(Object.values(rows).filter(({ result }) => result !== 'ok' && result !== 'skipped')).toEqual([]);
  expect(results(rows)).toMatchObject({
    'tool call': 'ok',
    'parallel calls': 'ok',
    image: 'ok',
    'image of a tool': 'ok',
    reasoning: 'ok',
    'cached tokens': 'ok',
    'stop sequence': 'ok',
    'structured output': 'ok',
    overflow: 'ok',
    'many tools': 'ok',
  });
  expect(rows['model gpt-6.1-sol']?.detail).toBe('big, by the Responses API');
  expect(rows['overflow']?.detail).toMatch(/prompt is too long: \d+ tokens > 3000 maximum/);
  const carried = strict.requests.filter((request) => inputOf(request).some(({ type }) => type === 'reasoning'));
  expect(carried).toHaveLength(1);
  expect(finished.code).toBe(0);
});

test('--full proves what an instance supplies to a model that sees nothing, cannot search and takes few tools', async () => {
  const picky = await startPickyUpstream((response, request) =>
    (request.body.model === 'eyes' ? turn({ text: 'A red square.' }) : readingModel)(response, request),
  );
  const search = await startSearchServer(pages(['https://code.claude.com/docs', 'Claude Code', 'How it works.']));
  onTestFinished(() => search.close());
  await project.addInstance('supplied', [
    'PROVIDER=groq',
    `OPENAI_BASE_URL=${picky.url}`,
    `OPENAI_API_KEY=${KEY}`,
    'BIG_MODEL=blind',
    'MAX_RETRIES=0',
    'QUIRK_VISION=false',
    'VISION_MODEL=eyes',
    'WEB_SEARCH=searxng',
    `SEARCH_URL=${search.url}`,
  ]);
  expect((await project.manage(['start', 'supplied'])).code).toBe(0);
  const rows = rowsOf(await project.manage(['test', 'supplied', '--full', '--yes', '--json', '--quiet']));
  expect(['image', 'image of a tool', 'many tools', 'web search'].map((name) => rows[name])).toMatchObject([
    { result: 'ok', detail: 'described by eyes' },
    { result: 'ok', detail: 'described by eyes' },
    { result: 'ok', detail: '128 of 148 offered, the right one called' },
    { result: 'ok', detail: 'SearXNG found 1 page' },
  ]);
  expect(Math.max(...picky.requests.map((request) => toolsOf(request).length))).toBe(128);
});

test('--full says what it may cost and asks before it spends; without a terminal it needs --yes', async () => {
  upstream.requests.length = 0;
  const { code, stdout, stderr } = await project.manage(['test', 'good', '--full']);
  expect(stderr).toMatch(/^good: --full asks capable for about 22,000 tokens in and 5,000 out \(price unknown\)\./m);
  expect(stderr).toContain('One request of 6,000 tokens is meant to be refused');
  expect(stderr).toContain('./manage test good --full --yes');
  expect({ code, stdout, asked: upstream.requests.length }).toEqual({ code: 2, stdout: '', asked: 0 });
});

test('several tables on stdout say whose they are', async () => {
  const { stdout } = await project.manage(['test', 'good', 'demo']);
  expect(stdout.match(/^\w+ \(\w+\)$/gm)).toEqual(['demo (demo)', 'good (custom)']);
});

test('a provider that fails in many ways: what, and which QUIRK_ to set', async () => {
  const finished = await project.manage(['test', 'clumsy', '--full', '--yes', '--json']);
  const rows = rowsOf(finished);
  expect(results(rows)).toMatchObject({
    key: 'ok',
    'model clumsy': 'ok',
    'model gone': 'warn',
    stream: 'ok',
    'tool call': 'fail',
    'parallel calls': 'warn',
    image: 'fail',
    reasoning: 'warn',
    'stop sequence': 'fail',
    'structured output': 'fail',
    overflow: 'fail',
  });
  expect(rows['model gone']?.detail).toContain('another model answered in its place');
  expect(rows['tool call']?.quirks).toEqual(['QUIRK_TOOL_TEXT=true']);
  expect(rows['image']?.quirks).toEqual(['QUIRK_VISION=false']);
  expect(rows['stop sequence']?.quirks).toEqual(['QUIRK_STOP_MAX=0', 'QUIRK_LOCAL_STOP=true']);
  expect(rows['structured output']?.quirks).toEqual(['QUIRK_JSON_MODE=object']);
  expect(finished.code).toBe(1);
});

test('a rejected key ends the test, and is shown by no name but its variable’s', async () => {
  upstream.requests.length = 0;
  const { code, stdout, stderr } = await project.manage(['test', 'locked', '--full', '--yes']);
  expect(stdout).toMatch(/^key +fail +\d+ +\[locked 401\] the provider rejected OPENAI_API_KEY/m);
  expect(stdout).toMatch(/^overflow +skipped +- +the key is not accepted$/m);
  expect(stdout).toContain('  -> Correct the key: ./manage key locked.');
  expect(upstream.requests).toHaveLength(1);
  expect(stdout + stderr).not.toContain(KEY);
  expect(code).toBe(1);
});

test('an unreachable provider is not asked', async () => {
  const rows = rowsOf(await project.manage(['test', 'nowhere', '--json']));
  expect(results(rows)).toMatchObject({ TCP: 'fail', key: 'skipped', stream: 'skipped' });
  expect(rows['TCP']?.detail).toContain('nothing listens there');
});

test('after that status does not call it ready, and run says so before claude begins', async () => {
  const before = (await project.status()).find(({ name }) => name === 'nowhere');
  expect(before).toMatchObject({ condition: 'failing', condition_reason: expect.stringContaining('ECONNREFUSED') });
  const claude = { CLAUDE_BIN: resolve(import.meta.dirname, 'fakeClaude.mjs') };
  const { stderr } = await project.manage(['run', 'nowhere', '--', '-p', 'hello'], claude);
  expect(stderr).toMatch(/^nowhere: failing: .*ECONNREFUSED.*; \.\/manage logs nowhere --errors$/m);
  const well = await project.manage(['run', 'demo', '--', '-p', 'hello'], claude);
  expect(well.stderr).not.toContain('demo: ');
});

test('a provider that says nothing is left after --timeout', async () => {
  const { code, stdout } = await project.manage(['test', 'silent', '--timeout', '0.5']);
  expect(stdout).toContain('no whole answer within 0.5 s; --timeout SECONDS allows more');
  expect(code).toBe(1);
});

test('without a key there is nothing to test with, unless stdin gives one', async () => {
  const without = await project.manage(['test', 'keyless']);
  expect(without.stderr).toContain('envs/keyless.env holds no key to test with; put OPENAI_API_KEY there');
  expect(without.code).toBe(1);

  upstream.requests.length = 0;
  const { code, stdout } = await project.manage(['test', 'keyless', '--key-stdin'], {}, `${KEY}\n`);
  expect(stdout).toMatch(/^key +ok +\d+ +the one from stdin is accepted$/m);
  expect(upstream.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  expect(code).toBe(0);

  const other = await project.manage(['test', 'good', '--key-stdin'], {}, KEY);
  expect(other.stderr).toContain('good: uses its own OPENAI_API_KEY');
  expect(other.code).toBe(1);
  expect((await project.manage(['test', 'keyless', '--key-stdin'])).code).toBe(2);
  expect((await project.manage(['test', 'all', '--key-stdin'], {}, KEY)).code).toBe(2);
});

test('an instance that does not run is not started', async () => {
  const { code, stderr } = await project.manage(['test', 'resting']);
  expect(stderr).toContain('resting is not started; a test goes through it: ./manage start resting');
  expect(code).toBe(1);
});

test('a wrong configuration is reported, with 78', async () => {
  await project.addInstance('wrong', ['MAX_RETRIES=banana']);
  const { code, stderr } = await project.manage(['test', 'wrong']);
  expect(stderr).toContain('MAX_RETRIES');
  expect(code).toBe(78);
});

test('the built-in demo passes the cheap test and costs nothing', async () => {
  const { code, stdout } = await project.manage(['test', 'demo']);
  expect(stdout).toMatch(/^DNS +skipped +- +built in$/m);
  expect(stdout).toMatch(/^stream +ok +\d+ +first token after \d+\.\d s, \d+ tokens\/s$/m);
  expect(stdout).toMatch(/^Used: 3 requests, \d+ tokens in, \d+ out, about \$0\.0000$/m);
  expect(code).toBe(0);
});

test('and most of --full, but it sees no images', async () => {
  const rows = rowsOf(await project.manage(['test', 'demo', '--full', '--json']));
  expect(results(rows)).toMatchObject({
    'tool call': 'ok',
    'parallel calls': 'ok',
    image: 'skipped',
    'image of a tool': 'skipped',
    reasoning: 'ok',
    'stop sequence': 'ok',
    'structured output': 'ok',
  });
});

test('Ctrl-C leaves at once, and the provider’s request with it', async () => {
  const arrived = upstream.nextRequest();
  const child = spawn(process.execPath, [join(project.root, 'scripts', 'manage.ts'), 'test', 'silent', '-q'], {
    env: { PATH: process.env['PATH'], PM2_HOME: project.pm2Home },
  });
  const ended = once(child, 'close');
  const { closed } = await arrived;
  child.kill('SIGINT');
  expect((await ended)[1]).toBe('SIGINT');
  await closed;
});
