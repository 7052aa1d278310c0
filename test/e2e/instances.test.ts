import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProject, run, type TemporaryProject } from '../cli/temporaryProject.ts';
import { delta, type FakeUpstream, startFakeUpstream, stream } from '../helpers/fakeUpstream.ts';
import { claudeEnvironment, installClaude } from './claudeClient.ts';

/** What a user may have done to settings and shell: everything that would lead claude elsewhere. */
const ELSEWHERE = {
  ANTHROPIC_BASE_URL: 'http://127.0.0.1:9',
  ANTHROPIC_AUTH_TOKEN: 'another-token',
  ANTHROPIC_API_KEY: 'sk-ant-another',
  ANTHROPIC_MODEL: 'another-model',
  ANTHROPIC_CUSTOM_HEADERS: 'x-api-key: another-key',
  ANTHROPIC_UNIX_SOCKET: '/nowhere.sock',
  CLAUDE_CODE_OAUTH_TOKEN: 'another-login',
  CLAUDE_CODE_USE_BEDROCK: '1',
  CLAUDE_CODE_USE_VERTEX: '1',
  CLAUDE_CODE_USE_FOUNDRY: '1',
  CLAUDE_CODE_USE_GATEWAY: '1',
  HTTP_PROXY: 'http://127.0.0.1:9',
};
const SETTINGS = `{"apiKeyHelper":"echo another-key", "env": ${JSON.stringify(ELSEWHERE)}, "cleanupPeriodDays": 30}\n\n`;
const TOKEN = 'token-of-two';

let project: TemporaryProject;
let home: string;
let work: string;
const upstreams: FakeUpstream[] = [];
let environment: Record<string, string>;

async function addInstance(name: string, lines: readonly string[] = []): Promise<void> {
  const upstream = await startFakeUpstream({ '*': stream(delta({ content: `I am ${name}.` }), delta({}, 'stop')) });
  upstreams.push(upstream);
  const provider = ['PROVIDER=custom', `OPENAI_BASE_URL=${upstream.url}`, 'OPENAI_API_KEY=any-key'];
  const models = [`BIG_MODEL=${name}-big`, `SMALL_MODEL=${name}-small`];
  await project.addInstance(name, [...provider, ...models, ...lines]);
}

const manage = (...words: string[]) => project.manage(words, environment);
const settings = () => readFileSync(join(home, '.claude', 'settings.json'), 'utf8');
const modelsAsked = (index: number) => new Set(upstreams[index]?.requests.map(({ body }) => body.model));

beforeAll(async () => {
  project = await createProject({ binary: resolve(import.meta.dirname, '..', '..', 'dist', 'claude-code-proxy') });
  home = join(dirname(project.root), 'home');
  work = join(home, 'work');
  mkdirSync(join(home, '.claude'), { recursive: true });
  mkdirSync(work);
  writeFileSync(join(home, '.claude', 'settings.json'), SETTINGS);
  environment = { ...claudeEnvironment('http://127.0.0.1:9', home), CLAUDE_BIN: installClaude(), INIT_CWD: work };
  await addInstance('one');
  await addInstance('two', [`ANTHROPIC_API_KEY=${TOKEN}`]);
  // From a shell without the network proxy, which the instances would take for their own way out.
  expect((await manage('start', 'all')).code).toBe(0);
});
afterAll(async () => {
  await project.dispose();
  await Promise.all(upstreams.map((upstream) => upstream.close()));
});

test('two instances from two terminals at the same time, each answers from its own provider', async () => {
  const shell = { ...environment, ...ELSEWHERE };
  const answers = await Promise.all(
    ['one', 'two'].map((name) => project.manage(['run', name, '--', '-p', 'Who are you?'], shell)),
  );
  expect(answers).toMatchObject([
    { code: 0, stdout: 'I am one.\n' },
    { code: 0, stdout: 'I am two.\n' },
  ]);
  expect([modelsAsked(0), modelsAsked(1)]).toEqual([new Set(['one-big']), new Set(['two-big'])]);
  expect(settings()).toBe(SETTINGS);
});

test('the exit status is claude’s, and a model of another tier is asked by its own name', async () => {
  expect((await manage('run', 'one', '--', '--no-such-option')).code).toBe(1);
  expect(await manage('run', 'one', '--', '-p', '--model', 'haiku', 'Who are you?')).toMatchObject({
    stdout: 'I am one.\n',
  });
  expect(modelsAsked(0)).toContain('one-small');
  expect(settings()).toBe(SETTINGS);
});

test('use and unuse change what claude does in one project, and leave nothing behind', async () => {
  const claude = () => run(installClaude(), ['-p', 'Who are you?'], work, environment);
  expect((await manage('use', 'two', '--project', '--yes')).code).toBe(0);
  expect(await claude()).toMatchObject({ code: 0, stdout: 'I am two.\n' });
  expect((await manage('unuse')).code).toBe(0);
  expect(() => readFileSync(join(work, '.claude', 'settings.local.json'))).toThrow('ENOENT');
  expect(settings()).toBe(SETTINGS);
});

test('env in a shell’s eval is enough where the settings say nothing else', async () => {
  writeFileSync(join(home, '.claude', 'settings.json'), '{}');
  const { stdout } = await manage('env', 'two', '--shell', 'bash');
  const answer = await run('bash', ['-c', `eval "$VARIABLES"; "$CLAUDE_BIN" -p 'Who are you?'`], work, {
    ...environment,
    VARIABLES: stdout,
    CLAUDE_CODE_USE_BEDROCK: '1',
    HTTP_PROXY: 'http://127.0.0.1:9',
  });
  expect(answer).toMatchObject({ code: 0, stdout: 'I am two.\n' });
  expect(settings()).toBe('{}');
});
