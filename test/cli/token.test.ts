import { createHash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, message } from '../helpers/startApp.ts';
import { createProject, type TemporaryProject } from './temporaryProject.ts';

const BINARY = resolve(import.meta.dirname, '..', '..', 'dist', 'claude-code-proxy');
const OWNER = 'canary-of-the-owner-0123456789';

let project: TemporaryProject;
let port = 0;

beforeAll(async () => {
  project = await createProject({ binary: BINARY });
  port = await project.addInstance('work', [`ANTHROPIC_API_KEY=${OWNER}`]);
  await project.addInstance('open');
  await project.addInstance('unpriced', [
    `ANTHROPIC_API_KEY=${OWNER}`,
    'PROVIDER=custom',
    'OPENAI_BASE_URL=http://127.0.0.1:9/v1',
    'OPENAI_API_KEY=unused',
    'BIG_MODEL=unheard-of',
  ]);
  expect((await project.manage(['start', 'work'])).code).toBe(0);
});
afterAll(() => project.dispose());

const path = () => join(project.root, 'envs', 'work.clients.yaml');
const token = (...words: string[]) => project.manage(['token', ...words]);
const ask = async (credential: string) =>
  call(`http://127.0.0.1:${port}/v1/messages`, {
    ...message('claude-opus-5'),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${credential}` },
  });
let alice = '';
let bob = '';

// One story, in order.
test('add: the token is shown once, the file has its hash alone, and the running instance takes it at once', async () => {
  const { code, stdout, stderr } = await token('add', 'work', 'alice');
  expect([code, stderr]).toEqual([0, expect.stringContaining('work uses it now.')]);
  alice = stdout.trim();
  expect(alice).toMatch(/^sk-ccp-[\w-]{43}$/);
  expect(stderr).not.toContain(alice);
  const text = await readFile(path(), 'utf8');
  expect(text).toBe(`clients:\n  - name: alice\n    sha256: ${createHash('sha256').update(alice).digest('hex')}\n`);
  expect((await stat(path())).mode & 0o777).toBe(0o600);
  expect(await readFile(join(project.root, 'envs', 'work.env'), 'utf8')).toContain(
    '\nCLIENT_TOKENS_FILE=envs/work.clients.yaml\n',
  );
  expect((await ask(alice)).status).toBe(200);
});

test('add: limits are written and hold, comments stay, and JSON has all of it', async () => {
  await writeFile(path(), `# our team\n${await readFile(path(), 'utf8')}`);
  const limits = ['--requests-per-minute', '1', '--tokens-per-day', '5000000', '--cost-per-month', '9.5'];
  const { code, stdout } = await token(
    'add',
    'work',
    'bob',
    ...limits,
    '--models',
    'big, small',
    '--expires',
    '2999-12-31',
    '--json',
  );
  expect(code).toBe(0);
  const answer = JSON.parse(stdout);
  expect(answer).toEqual({
    schema: 1,
    instance: 'work',
    client: 'bob',
    token: expect.stringMatching(/^sk-ccp-/),
    file: 'envs/work.clients.yaml',
    requests_per_minute: 1,
    tokens_per_day: 5_000_000,
    cost_per_month: 9.5,
    models: ['big', 'small'],
    expires: '2999-12-31',
  });
  bob = answer.token;
  expect(await readFile(path(), 'utf8')).toMatch(/^# our team\nclients:\n {2}- name: alice\n/);
  expect([(await ask(bob)).status, (await ask(bob)).status]).toEqual([200, 429]);
});

test('list: who has a token and which limits, never a token or its hash', async () => {
  const { code, stdout } = await token('list', 'work');
  expect(code).toBe(0);
  expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['client', 'requests/min', 'tokens/day', '$/month', 'expires', 'models'],
    ['alice', '-', '-', '-', '-', '-'],
    ['bob', '1', '5,000,000', '9.5', '2999-12-31', 'big, small'],
    [''],
  ]);
  const json = await token('list', 'work', '--json');
  expect(JSON.parse(json.stdout).clients.map(({ client }: { client: string }) => client)).toEqual(['alice', 'bob']);
  expect(stdout + json.stdout).not.toMatch(/sk-ccp|[0-9a-f]{64}/);
});

test('usage --by client', async () => {
  await expect
    .poll(async () => JSON.parse((await project.manage(['usage', 'work', '--by', 'client', '--json'])).stdout).rows, {
      timeout: 20_000,
    })
    .toMatchObject(expect.arrayContaining([expect.objectContaining({ client: 'alice', requests: 1 })]));
});

test('what was used is not forgotten by a restart', async () => {
  await token('add', 'work', 'carol', '--tokens-per-day', '1');
  const carol = JSON.parse((await token('add', 'work', 'dave', '--tokens-per-day', '1', '--json')).stdout).token;
  expect((await ask(carol)).status).toBe(200);
  expect((await project.manage(['restart', 'work'])).code).toBe(0);
  const refused = await ask(carol);
  expect([refused.status, refused.text]).toEqual([
    429,
    expect.stringContaining('dave has used the 1 token of this day'),
  ]);
});

test('revoke: the next request is refused', async () => {
  const { code, stdout, stderr } = await token('revoke', 'work', 'alice');
  expect([code, stdout, stderr]).toEqual([0, '', 'The token of alice is valid no more.\nwork uses it now.\n']);
  expect((await ask(alice)).status).toBe(401);
  expect((await ask(OWNER)).status).toBe(200);
  expect(await readFile(path(), 'utf8')).toMatch(/^# our team\nclients:\n {2}- name: bob\n/);
});

test('what makes no sense is refused, and nothing is written', async () => {
  const before = await readFile(path(), 'utf8');
  const wrong: [string[], number, string][] = [
    [[], 2, 'needs add, list or revoke'],
    [['give', 'work', 'eve'], 2, 'not "give"'],
    [['add'], 2, 'name an instance'],
    [['add', 'work'], 2, 'name a client'],
    [['add', 'work', 'b ob'], 2, '"b ob" cannot be the name of a client'],
    [['add', 'work', 'Bob'], 2, 'Bob has a token already'],
    [['add', 'nobody', 'eve'], 2, 'there is no instance "nobody"'],
    [['add', 'open', 'eve'], 78, './manage key open ANTHROPIC_API_KEY --stdin'],
    [['add', 'work', 'eve', '--tokens-per-day', '0'], 2, '--tokens-per-day takes a number'],
    [['add', 'work', 'eve', '--expires', 'yesterday'], 2, '--expires yesterday is over'],
    [['add', 'work', 'eve', '--expires', '2020-01-01'], 2, '--expires 2020-01-01 is over'],
    [['revoke', 'work', 'eve'], 2, 'work has no client "eve"'],
  ];
  for (const [words, status, text] of wrong) {
    const { code, stderr } = await token(...words);
    expect([words, code, stderr]).toEqual([words, status, expect.stringContaining(text)]);
  }
  expect(await readFile(path(), 'utf8')).toBe(before);
});

test('a file that an instance before has left is not taken over in silence', async () => {
  await project.addInstance('left', [`ANTHROPIC_API_KEY=${OWNER}`]);
  await writeFile(
    join(project.root, 'envs', 'left.clients.yaml'),
    `clients: [{name: old, sha256: ${'ab'.repeat(32)}}]\n`,
  );
  const { code, stderr } = await token('add', 'left', 'eve', '--models', 'small,gpt-nonsense');
  expect([code, stderr]).toEqual([
    0,
    expect.stringContaining('envs/left.clients.yaml was there already: the tokens of old are valid, too'),
  ]);
  // A name that no tier has may be one that clients ask for, so that it is only said.
  expect(stderr).toContain('gpt-nonsense is none of the models of big, middle and small (');
});

test('remove says that the tokens stay', async () => {
  const { code, stderr } = await project.manage(['remove', 'left', '--yes']);
  expect([code, stderr]).toEqual([0, expect.stringContaining('envs/left.clients.yaml stays, with the tokens of its')]);
});

test('a mistake in the file is named with its line, and the running instance keeps the tokens that it has', async () => {
  await writeFile(path(), (await readFile(path(), 'utf8')).replace('requests_per_minute', 'request_per_minute'));
  const { code, stderr } = await token('list', 'work');
  expect([code, stderr]).toEqual([
    78,
    expect.stringMatching(
      /envs\/work\.clients\.yaml:5 {2}clients\[0\]\.request_per_minute {2}error: found a field that means nothing/,
    ),
  ]);
  expect((await ask(bob)).status).not.toBe(401);
});

test('add: a limit of the cost that no known price makes hold is named', async () => {
  const words = 'the price of unheard-of is not known and counts nothing toward the cost of alice: PRICES_FILE';
  const warned = await token('add', 'unpriced', 'alice', '--cost-per-month', '5');
  expect([warned.code, warned.stderr]).toEqual([expect.any(Number), expect.stringContaining(words)]);
  expect((await token('add', 'unpriced', 'bob', '--tokens-per-day', '5')).stderr).not.toContain('the price of');
  expect((await token('add', 'work', 'erin', '--cost-per-month', '5')).stderr).not.toContain('the price of');
});
