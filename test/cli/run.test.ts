import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasPseudoTerminal, runInTerminal } from '../helpers/pseudoTerminal.ts';
import { createProject, type Finished, type TemporaryProject } from './temporaryProject.ts';

const FAKE_CLAUDE = resolve(import.meta.dirname, 'fakeClaude.mjs');
const TOKEN = 'token-of-the-instance-1';

let project: TemporaryProject;
let home: string;
let work: string;
let port: number;

const shell = (more: Record<string, string> = {}) => ({ CLAUDE_BIN: FAKE_CLAUDE, INIT_CWD: work, ...more });
const run = (words: string[], more: Record<string, string> = {}) => project.manage(['run', ...words], shell(more));
/** What the fake claude saw. */
const seen = ({ stdout }: Finished) => JSON.parse(stdout.split('\n')[0] ?? '');

beforeAll(async () => {
  project = await createProject();
  home = dirname(project.root);
  work = join(home, 'some work');
  mkdirSync(join(home, '.claude'));
  writeFileSync(join(home, '.claude', 'settings.json'), '{"env":{"ANTHROPIC_MODEL":"mine"}}');
  mkdirSync(work);
  port = await project.addInstance('one');
  await project.addInstance('locked', [`ANTHROPIC_API_KEY=${TOKEN}`]);
  await project.addInstance('elsewhere', ['PROVIDER=kimi']);
  await project.addInstance('keyless', [
    'PROVIDER=custom',
    'OPENAI_BASE_URL=http://127.0.0.1:9/v1',
    'BIG_MODEL=m',
    'SMALL_MODEL=m',
  ]);
});
afterAll(() => project.dispose());

describe('./manage run', () => {
  test('starts the instance, then claude where the user is, and ends as claude does', async () => {
    const result = await run(['one', '--', '-p', 'say "hi"', '--exit', '7']);
    expect(result.stderr).toMatch(/^one up on 127\.0\.0\.1:\d+ in /m);
    expect(result.code).toBe(7);
    const { words, directory, environment } = seen(result);
    expect(words).toEqual(['--settings', expect.any(String), '-p', 'say "hi"', '--exit', '7']);
    expect(directory).toBe(work);
    expect(environment).toMatchObject({ PWD: work, HOME: home });
    expect(environment).not.toHaveProperty('INIT_CWD');
  });

  test('what the client has to know stands in a file for the user only', async () => {
    const { file, mode, settings } = seen(await run(['one']));
    expect(mode).toBe('600');
    // Claude Code names it when it ends, so that it stays, once for equal settings.
    expect(existsSync(file)).toBe(true);
    expect(seen(await run(['one'])).file).toBe(file);
    expect(settings.env).toMatchObject({
      ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}`,
      ANTHROPIC_AUTH_TOKEN: 'unused',
      ANTHROPIC_API_KEY: '',
      ANTHROPIC_MODEL: 'opus',
      ANTHROPIC_DEFAULT_OPUS_MODEL: 'demo-big',
      ANTHROPIC_DEFAULT_SONNET_MODEL: 'demo-middle',
      ANTHROPIC_DEFAULT_HAIKU_MODEL_NAME: 'demo-small (one)',
      CLAUDE_CODE_AUTO_COMPACT_WINDOW: '200000',
      CLAUDE_CODE_MAX_OUTPUT_TOKENS: '32000',
      CLAUDE_CODE_USE_BEDROCK: '',
    });
    expect(settings.modelPicker.options.map(({ model }: { model: string }) => model)).toEqual([
      'opus',
      'sonnet',
      'haiku',
    ]);
    expect(settings.statusLine).toMatchObject({ type: 'command', command: expect.stringContaining('statusline.cjs') });
  });

  test('nothing of the shell goes against it, and nothing global is written', async () => {
    const before = readdirSync(join(home, '.claude'));
    const { environment, settings } = seen(
      await run(['one'], {
        ANTHROPIC_API_KEY: 'sk-ant-mine',
        ANTHROPIC_BASE_URL: 'http://elsewhere',
        ANTHROPIC_MODEL: 'other',
        CLAUDE_CODE_USE_VERTEX: '1',
        NO_PROXY: 'intranet',
        EDITOR: 'vi',
      }),
    );
    for (const name of Object.keys(settings.env)) expect(environment).not.toHaveProperty(name);
    expect(environment).toMatchObject({ EDITOR: 'vi' });
    expect(settings.env.NO_PROXY).toBe('intranet,127.0.0.1,localhost,::1');
    expect(readFileSync(join(home, '.claude', 'settings.json'), 'utf8')).toBe('{"env":{"ANTHROPIC_MODEL":"mine"}}');
    expect(readdirSync(join(home, '.claude'))).toEqual(before);
    expect(existsSync(join(work, '.claude'))).toBe(false);
  });

  test('the token of an instance goes with it, and into no command line', async () => {
    const { settings, words, file } = seen(await run(['locked']));
    expect(existsSync(file)).toBe(false);
    expect(settings.env.ANTHROPIC_AUTH_TOKEN).toBe(TOKEN);
    expect(words.join(' ')).not.toContain(TOKEN);
  });

  test('the user’s own --settings are kept where they do not go against it', async () => {
    const own = { permissions: { allow: ['Bash'] }, env: { MINE: '1', ANTHROPIC_BASE_URL: 'http://elsewhere' } };
    writeFileSync(join(work, 'own.json'), JSON.stringify(own));
    for (const words of [['--settings', 'own.json'], [`--settings=${JSON.stringify(own)}`]]) {
      const { words: given, settings } = seen(await run(['one', '--', ...words, '-c']));
      expect(given.filter((word: string) => word.startsWith('--settings'))).toHaveLength(1);
      expect(given.at(-1)).toBe('-c');
      expect(settings).toMatchObject({ permissions: { allow: ['Bash'] }, env: { MINE: '1' } });
      expect(settings.env.ANTHROPIC_BASE_URL).toBe(`http://127.0.0.1:${port}`);
    }
    const wrong = await run(['one', '--', '--settings', 'absent.json']);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--settings: absent.json cannot be read')]);
  });

  test('--ask switches auto mode off, unless the user’s own words say otherwise', async () => {
    const asked = seen(await run(['one', '--ask', '--', '--permission-mode', 'plan']));
    expect(asked.words.slice(2)).toEqual(['--permission-mode', 'default', '--permission-mode', 'plan']);
    expect(seen(await run(['one'])).words).not.toContain('--permission-mode');
  });

  test('two at the same time, each with its own instance and file', async () => {
    const [one, locked] = (await Promise.all([run(['one']), run(['locked'])])).map(seen);
    expect(one.settings.env.ANTHROPIC_BASE_URL).not.toBe(locked.settings.env.ANTHROPIC_BASE_URL);
    expect(one.file).not.toBe(locked.file);
  });

  test('the provider’s key comes from the shell where the env file has none, but never Anthropic’s', async () => {
    const { settings, file } = seen(await run(['keyless'], { ANTHROPIC_AUTH_TOKEN: 'key-of-mine' }));
    expect(existsSync(file)).toBe(false);
    expect(settings.env).toMatchObject({ ANTHROPIC_AUTH_TOKEN: 'key-of-mine', ANTHROPIC_API_KEY: '' });
    const { code, stderr, stdout } = await run(['keyless'], { ANTHROPIC_API_KEY: 'sk-ant-mine' });
    expect([code, stdout]).toEqual([78, '']);
    expect(stderr).toContain('envs/keyless.env holds no key; put OPENAI_API_KEY there, or give one for this run');
    const foreign = await run(['elsewhere'], { ANTHROPIC_AUTH_TOKEN: 'sk-ant-api03-0123456789abcdef' });
    expect([foreign.code, foreign.stdout]).toEqual([78, '']);
    expect(foreign.stderr).toContain(
      'ANTHROPIC_AUTH_TOKEN of this shell begins like a key of Anthropic, and is not given to elsewhere',
    );
    expect(foreign.stderr).not.toContain('0123456789');
  });

  test('what a killed run has left is swept away', async () => {
    const { file } = seen(await run(['one']));
    const left = join(dirname(file), 'claude-999999999.json');
    const old = join(dirname(file), 'claude-one-0123456789ab.json');
    for (const path of [left, old]) writeFileSync(path, '{}');
    utimesSync(old, 0, 0);
    await run(['one']);
    expect([left, old, file].map((path) => existsSync(path))).toEqual([false, false, true]);
  });

  test.each([
    ['unknown instance', ['oen'], {}, 2, /there is no instance "oen".*did you mean "one"/],
    [
      'unknown instance and no claude',
      ['oen'],
      { CLAUDE_BIN: '', PATH: '/nowhere' },
      2,
      /^there is no instance "oen".*did you mean "one"/,
    ],
    ['no claude on PATH', ['one'], { CLAUDE_BIN: '', PATH: '/nowhere' }, 1, /^claude is not on PATH; install it/],
    ['a wrong CLAUDE_BIN', ['one'], { CLAUDE_BIN: './nothing' }, 1, /CLAUDE_BIN is \.\/nothing, which is no program/],
    ['all', ['all'], {}, 2, /run takes the name of one instance, not "all"/],
    ['no name', [], {}, 2, /run needs the name of one instance/],
    ['words for claude without --', ['one', 'two'], {}, 2, /program after --: \.\/manage run one -- two$/m],
  ] as const)('%s', async (_what, words, environment, code, message) => {
    const result = await run([...words], environment);
    expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
  });

  test('a port that was changed while the instance runs is no address for claude yet', async () => {
    await project.addInstance('moved');
    expect((await run(['moved'])).code).toBe(0);
    await project.addInstance('moved'); // on another port
    const { code, stdout, stderr } = await run(['moved']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('./manage reload moved');
  });

  test('a wrong edit of an instance that serves is a warning, and its old configuration is used', async () => {
    const before = await project.addInstance('edited', ['BIG_MODEL=mine']);
    const file = join(project.root, 'envs', 'edited.env');
    const text = readFileSync(file, 'utf8');
    expect((await run(['edited'])).code).toBe(0);
    writeFileSync(file, text.replace(/^PORT=.*$/m, 'PORT=80x5').replace('BIG_MODEL=mine', 'BIG_MODEL=other'));
    const result = await run(['edited', '--', '--exit', '3']);
    expect(result.code).toBe(3);
    expect(result.stderr).toMatch(
      /^envs\/edited\.env:\d+ {2}PORT.*^edited serves its old configuration .*\.\/manage edit edited$/ms,
    );
    expect(seen(result).settings.env).toMatchObject({ ANTHROPIC_BASE_URL: `http://127.0.0.1:${before}` });
    writeFileSync(file, text);
  });

  test('a wrong env file is reported with its line', async () => {
    await project.addInstance('wrong', ['MAX_RETRIES=banana']);
    const { code, stderr } = await run(['wrong']);
    expect(code).toBe(78);
    expect(stderr).toMatch(/^envs\/wrong\.env:\d+ {2}MAX_RETRIES/m);
  });

  test('the launcher builds the executable for it', async () => {
    expect(readFileSync(resolve(import.meta.dirname, '../../manage'), 'utf8')).toMatch(
      /case \$argument in .*\brun\b.*\) builds=yes/,
    );
  });
});

describe('signals', () => {
  /** Runs until the fake claude waits; then sends the signal to ./manage alone. */
  async function signalled(signal: NodeJS.Signals, words: readonly string[]) {
    const child = spawn(process.execPath, [join(project.root, 'scripts', 'manage.ts'), 'run', 'one', '--', ...words], {
      cwd: project.root,
      env: { PATH: process.env['PATH'], HOME: home, PM2_HOME: project.pm2Home, ...shell() },
    });
    let text = '';
    child.stdout.setEncoding('utf8');
    const isWaiting = new Promise<void>((done) => {
      child.stdout.on('data', (part: string) => {
        text += part;
        if (text.includes('\n')) done();
      });
    });
    await isWaiting;
    child.kill(signal);
    const code = await new Promise((done) => child.once('close', done));
    return { code, lines: text.trim().split('\n'), file: JSON.parse(text.split('\n')[0] ?? '').file };
  }

  test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)('%s reaches claude, whose exit status counts', async (signal) => {
    const { code, lines } = await signalled(signal, ['--wait', '--exit', '5']);
    expect(code).toBe(5);
    expect(lines.slice(1)).toEqual([`got ${signal}`]);
  });

  const SESSION = '0fc6aaaa-1234-4abc-8def-0123456789ab';

  test.runIf(hasPseudoTerminal).each([
    [
      'a session',
      ['--transcript', SESSION],
      `To go on with this session: ../project/manage run one -- --resume ${SESSION}\r\n`,
    ],
    ['none', [], undefined],
  ])('after %s one line says how to go on, with the path as it was called', async (_what, words, line) => {
    const program = runInTerminal(
      [process.execPath, join(project.root, 'scripts', 'manage.ts'), 'run', 'one', '--', ...words],
      {
        columns: 200,
        folder: project.root,
        environment: { HOME: home, PM2_HOME: project.pm2Home, MANAGE_CALLED_AS: '../project/manage', ...shell() },
      },
    );
    await once(program.process, 'close');
    if (line === undefined) expect(program.shown()).not.toContain('To go on');
    else expect(program.shown()).toContain(line);
  });

  test.runIf(hasPseudoTerminal)('Ctrl-C at a terminal reaches claude once', async () => {
    const program = runInTerminal(
      [process.execPath, join(project.root, 'scripts', 'manage.ts'), 'run', 'one', '--', '--wait'],
      { columns: 200, folder: project.root, environment: { HOME: home, PM2_HOME: project.pm2Home, ...shell() } },
    );
    await program.waitFor(/"words"/);
    await program.stop();
    expect(program.shown().match(/got SIG\w+/g)).toEqual(['got SIGINT']);
  });
});
