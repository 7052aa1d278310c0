import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAuthority } from '../helpers/certificate.ts';
import { startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { hasPseudoTerminal, runInTerminal } from '../helpers/pseudoTerminal.ts';
import { call, message } from '../helpers/startApp.ts';
import { createProject, type TemporaryProject } from './temporaryProject.ts';

const BINARY = resolve(import.meta.dirname, '..', '..', 'dist', 'claude-code-proxy');
const OLD_KEY = 'canary-old-key-0123456789';
const NEW_KEY = 'canary-new-key-9876543210';

let project: TemporaryProject;
let port = 0;
const upstream = await startFakeUpstream({ '*': words('fine') });

beforeAll(async () => {
  project = await createProject({ binary: BINARY });
  port = await project.addInstance('work', [
    '# my provider',
    'PROVIDER=custom',
    `OPENAI_BASE_URL=${upstream.url}`,
    `OPENAI_API_KEY=${OLD_KEY}   # of the team`,
    'BIG_MODEL=first',
  ]);
  expect((await project.manage(['start', 'work'])).code).toBe(0);
});
afterAll(async () => {
  await project.dispose();
  await upstream.close();
});

const envFile = () => join(project.root, 'envs', 'work.env');
const text = () => readFile(envFile(), 'utf8');
const ask = async () => {
  await call(`http://127.0.0.1:${port}/v1/messages`, message('claude-opus-5'));
  const { headers, body } = upstream.requests.at(-1) ?? {};
  return { key: headers?.['authorization'], model: (body as { model?: string } | undefined)?.model };
};

// One story, in order.
test('set: the line changes, all else stays, and the running instance uses it when the command ends', async () => {
  const before = await text();
  const { mode } = await stat(envFile());
  const { code, stdout, stderr } = await project.manage(['set', 'work', 'BIG_MODEL=second', 'LOG_LEVEL=warn']);
  expect({ code, stdout, stderr }).toEqual({
    code: 0,
    stdout: '',
    stderr: 'Set BIG_MODEL, LOG_LEVEL in envs/work.env.\nwork uses it now.\n',
  });
  expect(await text()).toBe(`${before.replace('BIG_MODEL=first', 'BIG_MODEL=second')}LOG_LEVEL=warn\n`);
  expect((await stat(envFile())).mode).toBe(mode);
  expect(await ask()).toMatchObject({ model: 'second' });
});

test('key: from stdin into the line that holds it, used at once and never shown', async () => {
  const { code, stdout, stderr } = await project.manage(['key', 'work', '--stdin'], {}, `${NEW_KEY}\n`);
  expect({ code, stdout, stderr }).toEqual({
    code: 0,
    stdout: '',
    stderr: 'Set OPENAI_API_KEY in envs/work.env.\nwork uses it now.\n',
  });
  expect(await text()).toContain(`\nOPENAI_API_KEY=${NEW_KEY}   # of the team\n`);
  expect(await ask()).toMatchObject({ key: `Bearer ${NEW_KEY}` });
});

test('what is wrong is refused with its line, and nothing is written', async () => {
  const before = await text();
  const wrong: [string[], number, RegExp][] = [
    [['PORT=80x5'], 78, /envs\/work\.env:\d+ {2}PORT {2}error: found "80x5"/],
    [['PROVIDER=kimmi'], 78, /Did you mean kimi\?/],
    [['BIG_MODLE=x'], 2, /BIG_MODLE {2}error: .*name that means nothing here\n.*Did you mean BIG_MODEL\?/],
    [['PROVDER=kimi'], 2, /Write PROVIDER=[\s\S]*nothing was written; envs\/work\.env is left as it was/],
    [['SMALL_MODEL=“x”'], 2, /typographic quotes/],
    [
      [`OPENAI_API_KEY=${OLD_KEY}`],
      2,
      /nothing was set: .*: \.\/manage key work, .*\.\/manage key work OPENAI_API_KEY --stdin/,
    ],
    [['ANTHROPIC_API_KEY=token'], 2, /type it unseen: \.\/manage key work ANTHROPIC_API_KEY, /],
    [[OLD_KEY], 2, /word 1 behind work is not KEY=VALUE/],
    [[], 2, /nothing to set/],
  ];
  for (const [assignments, status, words] of wrong) {
    const { code, stdout, stderr } = await project.manage(['set', 'work', ...assignments]);
    expect([code, stderr]).toEqual([status, expect.stringMatching(words)]);
    expect(stdout + stderr).not.toContain('canary');
  }
  expect((await project.manage(['set', 'all', 'LOG_LEVEL=info'])).code).toBe(2);
  expect((await project.manage(['set', 'nobody', 'LOG_LEVEL=info'])).stderr).toContain('there is no instance "nobody"');
  expect((await project.manage(['key', 'work'])).stderr).toContain('./manage key work --stdin < FILE');
  expect((await project.manage(['key', 'work', '--stdin'], {}, 'two words')).code).toBe(2);
  expect(await text()).toBe(before);
});

test('what needs new processes is written, and the command to make them is named', async () => {
  const { code, stderr } = await project.manage(['set', 'work', 'MAX_BODY_BYTES=32M']);
  expect([code, stderr]).toEqual([
    0,
    expect.stringContaining('restart needed for MAX_BODY_BYTES; for the new ones: ./manage reload work'),
  ]);
  expect((await project.manage(['set', 'work', 'MAX_BODY_BYTES='])).stderr).toContain('work uses it now.');
  await writeFile(join(project.root, 'company.pem'), createAuthority('Company').cert);
  const authority = await project.manage(['set', 'work', 'CA_FILE=company.pem']);
  expect([authority.code, authority.stderr]).toEqual([
    4,
    expect.stringContaining('not before a restart). Make new processes, which may read it: ./manage reload NAME'),
  ]);
  expect((await project.manage(['reload', 'work'])).code).toBe(0);
  expect((await project.manage(['set', 'work', 'CA_FILE='])).stderr).toContain('work uses it now.');
});

test('KEY= empties; the same again changes nothing; a stopped instance takes it later', async () => {
  expect((await project.manage(['set', 'work', 'LOG_LEVEL='])).code).toBe(0);
  expect(await text()).toContain('\nLOG_LEVEL=\n');
  expect((await project.manage(['set', 'work', 'LOG_LEVEL='])).stderr).toContain('says so already');
  await project.manage(['stop', 'work']);
  const { code, stderr } = await project.manage(['set', 'work', 'LOG_LEVEL=info']);
  expect([code, stderr]).toEqual([0, expect.stringContaining('work does not run')]);
});

test('two at the same time: both lines are there', async () => {
  const all = ['MAX_RETRIES=3', 'MAX_ATTEMPTS=4', 'MAX_QUEUE=5'].map((word) => project.manage(['set', 'work', word]));
  expect((await Promise.all(all)).map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(await text()).toMatch(/MAX_RETRIES=3/);
  expect(await text()).toMatch(/MAX_ATTEMPTS=4/);
  expect(await text()).toMatch(/MAX_QUEUE=5/);
});

test('key of the built-in provider is not asked for', async () => {
  await project.addInstance('demo', ['PROVIDER=demo']);
  const { code, stderr } = await project.manage(['key', 'demo']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('demo needs no key, as its provider is built in')]);
  expect((await project.manage(['key', 'demo', 'ANTHROPIC_API_KEY', '--stdin'], {}, 'token-of-clients-123')).code).toBe(
    0,
  );
});

test('key chooses the provider’s own name where there is no line yet, and takes another variable', async () => {
  await project.addInstance('kimi', ['PROVIDER=kimi']);
  const file = join(project.root, 'envs', 'kimi.env');
  expect((await project.manage(['key', 'kimi', '--stdin'], {}, NEW_KEY)).stderr).toContain('Set KIMI_API_KEY in');
  expect((await project.manage(['key', 'kimi', 'ANTHROPIC_API_KEY', '--stdin'], {}, 'token-of-clients-123')).code).toBe(
    0,
  );
  expect(await readFile(file, 'utf8')).toMatch(
    new RegExp(`KIMI_API_KEY=${NEW_KEY}\nANTHROPIC_API_KEY=token-of-clients-123\n$`),
  );
  const foreign = await project.manage(['key', 'kimi', '--stdin'], {}, 'sk-ant-api03-canary-0123456789');
  expect([foreign.code, foreign.stderr]).toEqual([
    0,
    expect.stringContaining('a key that begins like those of Anthropic'),
  ]);
  expect(foreign.stderr).not.toContain('0123456789');
});

test.runIf(hasPseudoTerminal)('key at a terminal: typed unseen', async () => {
  const program = runInTerminal([process.execPath, join(project.root, 'scripts', 'manage.ts'), 'key', 'kimi'], {
    columns: 100,
    folder: project.root,
    environment: { HOME: dirname(project.root), PM2_HOME: project.pm2Home, TERM: 'xterm' },
  });
  const closed = once(program.process, 'close');
  await program.waitFor(/KIMI_API_KEY of kimi; it is not shown/);
  program.press(`${OLD_KEY}\r`);
  expect((await closed)[0]).toBe(0);
  expect(program.shown()).not.toContain(OLD_KEY);
  expect(await readFile(join(project.root, 'envs', 'kimi.env'), 'utf8')).toContain(`KIMI_API_KEY=${OLD_KEY}`);
});
