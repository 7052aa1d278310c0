import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hasPseudoTerminal, runInTerminal } from '../helpers/pseudoTerminal.ts';
import { createProject, type TemporaryProject } from './temporaryProject.ts';

const TOKEN = 'token-canary-of-locked-1';

let project: TemporaryProject;
let port: number;
/** The user's project. */
let work: string;
let file: string;

const manage = (words: string[]) => project.manage(words, { INIT_CWD: work });
const use = (name: string, ...words: string[]) => manage(['use', name, '--project', ...words]);
const read = () => readFileSync(file, 'utf8');
const settings = () => JSON.parse(read());

function write(text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

beforeAll(async () => {
  project = await createProject();
  port = await project.addInstance('one');
  await project.addInstance('locked', [`ANTHROPIC_API_KEY=${TOKEN}`]);
});
afterAll(() => project.dispose());
beforeEach(() => {
  work = mkdtempSync(join(dirname(project.root), 'work-'));
  file = join(work, '.claude', 'settings.local.json');
});

const OWN = { permissions: { allow: ['Bash(ls:*)'] }, env: { MINE: '1', ANTHROPIC_MODEL: 'mine' }, model: 'opus' };

describe('unuse puts back exactly what was', () => {
  test.each([
    ['an empty file', ''],
    ['an empty object', '{}'],
    ['two spaces', `${JSON.stringify(OWN, undefined, 2)}\n`],
    ['tabs, no last line end', JSON.stringify(OWN, undefined, '\t')],
    ['Windows line ends', `${JSON.stringify(OWN, undefined, 4)}\n`.replaceAll('\n', '\r\n')],
    [
      'an order and spaces of its own',
      '{ "model":"opus" ,\n\n"env" : {"ANTHROPIC_BASE_URL": "http://elsewhere" }}\n\n',
    ],
  ])('%s', async (_what, original) => {
    write(original);
    chmodSync(file, 0o640);
    expect((await use('one', '--yes')).code).toBe(0);
    expect(settings()).toMatchObject({
      env: { ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}`, ANTHROPIC_DEFAULT_OPUS_MODEL: 'demo-big' },
    });
    expect((await manage(['unuse'])).code).toBe(0);
    expect(read()).toBe(original);
    expect(statSync(file).mode & 0o777).toBe(0o640);
  });

  test('no file, no folder', async () => {
    await use('one', '--yes');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await manage(['unuse'])).stderr).toContain('is gone, as before');
    expect(readdirSync(work)).toEqual([]);
  });

  test('a folder without the file', async () => {
    mkdirSync(dirname(file));
    await use('one', '--yes');
    await manage(['unuse']);
    expect(readdirSync(dirname(file))).toEqual([]);
  });

  test('after one instance and then another', async () => {
    const original = JSON.stringify(OWN);
    write(original);
    await use('one', '--yes');
    await use('locked', '--yes');
    expect(settings().env.ANTHROPIC_AUTH_TOKEN).toBe(TOKEN);
    await manage(['unuse']);
    expect(read()).toBe(original);
    expect((await manage(['unuse'])).stderr).toContain('"./manage use" has written nothing into');
    expect(read()).toBe(original);
  });
});

describe('what others do in between', () => {
  test('other keys stay as they are now', async () => {
    write(JSON.stringify(OWN, undefined, 2));
    await use('one', '--yes');
    const now = settings();
    write(
      JSON.stringify(
        { ...now, permissions: { allow: ['Bash(ls:*)', 'Read'] }, env: { ...now.env, NEW: '2' } },
        undefined,
        2,
      ),
    );
    expect((await manage(['unuse'])).code).toBe(0);
    expect(settings()).toEqual({
      ...OWN,
      permissions: { allow: ['Bash(ls:*)', 'Read'] },
      env: { ...OWN.env, NEW: '2' },
    });
  });

  test('a key of ours that was changed is not touched, and nothing else either', async () => {
    write(JSON.stringify(OWN));
    await use('one', '--yes');
    const changed = JSON.stringify({ ...settings(), env: { ...settings().env, ANTHROPIC_MODEL: 'theirs' } });
    write(changed);
    for (const words of [['unuse'], ['use', 'locked', '--project', '--yes']]) {
      const { code, stderr } = await manage(words);
      expect(code).toBe(1);
      expect(stderr).toContain('was changed since by somebody else, in env.ANTHROPIC_MODEL; nothing is changed');
      expect(read()).toBe(changed);
    }
    write(JSON.stringify({ ...settings(), env: { ...settings().env, ANTHROPIC_MODEL: 'mine' } }));
    expect((await manage(['unuse'])).code).toBe(0);
    expect(settings()).toEqual(OWN);
  });

  test('a file that somebody has removed comes back', async () => {
    write('{}');
    await use('one', '--yes');
    write('{}');
    expect((await manage(['unuse'])).code).toBe(0);
    expect(read()).toBe('{}');
  });
});

describe('use', () => {
  test('keeps everything else, its form too, and the project’s own status line', async () => {
    const statusLine = { type: 'command', command: 'mine' };
    write(JSON.stringify({ ...OWN, statusLine }, undefined, 4));
    await use('one', '--yes');
    expect(settings()).toMatchObject({ permissions: OWN.permissions, model: 'opus', statusLine, env: { MINE: '1' } });
    expect(read()).toMatch(/^\{\n {4}"permissions": \{\n/);
    expect(read().endsWith('}')).toBe(true);
  });

  test('shows the difference, without secrets, and writes nothing in a dry run', async () => {
    write(JSON.stringify({ env: { ANTHROPIC_AUTH_TOKEN: 'sk-old-canary-1234567890', ANTHROPIC_MODEL: 'mine' } }));
    const before = read();
    const { code, stdout, stderr } = await use('locked', '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toContain(file);
    expect(stdout).toMatch(/^\+ claude uses locked on http:\/\/127\.0\.0\.1:\d+: demo-big, demo-middle, demo-small$/m);
    expect(stdout).toMatch(/^- env\.ANTHROPIC_MODEL = mine\n\+ env\.ANTHROPIC_MODEL = opus$/m);
    expect(stdout).toMatch(/^- env\.ANTHROPIC_AUTH_TOKEN = \*{4}7890\n\+ env\.ANTHROPIC_AUTH_TOKEN = \*{4}ed-1$/m);
    expect(stdout + stderr).not.toMatch(/canary/);
    expect(read()).toBe(before);
  });

  test('without a terminal it asks for --yes', async () => {
    const { code, stderr } = await use('one');
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('there is no terminal to ask on; add --yes to go on without a question'),
    ]);
    expect(existsSync(file)).toBe(false);
  });

  test.runIf(hasPseudoTerminal)('on a terminal it asks; Ctrl-C leaves everything as it is', async () => {
    const program = runInTerminal(
      [process.execPath, join(project.root, 'scripts', 'manage.ts'), 'use', 'one', '--project'],
      {
        columns: 200,
        folder: project.root,
        environment: { HOME: dirname(project.root), PM2_HOME: project.pm2Home, INIT_CWD: work },
      },
    );
    await program.waitFor(/Write this\? \[y\/N\]/);
    await program.stop();
    expect(existsSync(file)).toBe(false);
  });

  test('a second time says so and changes nothing', async () => {
    await use('one', '--yes');
    const before = read();
    expect((await use('one')).stderr).toContain('says so already');
    expect(read()).toBe(before);
  });

  test('three lines, each value with --verbose; --project may be left out', async () => {
    const short = await manage(['use', 'one', '--dry-run']);
    expect(short.stdout.trimEnd().split('\n')).toEqual([
      file,
      `+ claude uses one on http://127.0.0.1:${port}: demo-big, demo-middle, demo-small`,
      expect.stringMatching(/^\+ \d+ values for it; to see them all: --verbose$/),
    ]);
    const whole = (await manage(['use', 'one', '--dry-run', '--verbose'])).stdout;
    expect(whole).toContain(`+ env.ANTHROPIC_BASE_URL = http://127.0.0.1:${port}`);
    expect(whole).toContain('+ empty, so that they have no effect: ');
    expect((await manage(['use', 'one', '--yes'])).code).toBe(0);
    expect(settings().env.ANTHROPIC_MODEL).toBe('opus');
  });

  test('where git does not ignore the file it says so', async () => {
    const warning = 'git does not ignore .claude/settings.local.json';
    expect((await use('one', '--yes')).stderr).not.toContain(warning);
    await manage(['unuse']);
    execFileSync('git', ['init', '--quiet'], { cwd: work });
    expect((await use('one', '--yes')).stderr).toContain(warning);
    await manage(['unuse']);
    writeFileSync(join(work, '.gitignore'), '.claude/settings.local.json\n');
    expect((await use('one', '--yes')).stderr).not.toContain(warning);
  });

  test.each([['of an unknown instance', ['use', 'oen', '--project'], 2, /there is no instance "oen"/]])(
    '%s it refuses',
    async (_what, words, code, message) => {
      expect(await manage(words)).toMatchObject({ code, stderr: expect.stringMatching(message) });
      expect(existsSync(file)).toBe(false);
    },
  );

  test('in the home directory it refuses, as those settings are global', async () => {
    work = dirname(project.root);
    expect(await use('one', '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('your home directory'),
    });
    expect(existsSync(join(work, '.claude'))).toBe(false);
  });

  test.each(['{ not json', '[1]'])('a file with %s is left alone', async (text) => {
    write(text);
    const { code, stderr } = await use('one', '--yes');
    expect([code, read()]).toEqual([1, text]);
    expect(stderr).toMatch(/is not (JSON|a JSON object).*repair it first, nothing is changed/);
  });
});
