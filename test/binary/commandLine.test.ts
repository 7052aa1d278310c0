import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { executablePath } from '../../src/host/workers.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';

const ROOT = join(import.meta.dirname, '../..');
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
const folder = temporaryFolder();

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the executable with nothing of Node on the PATH, as on a machine without it. */
async function run(...words: string[]): Promise<Run> {
  try {
    const { stdout, stderr } = await promisify(execFile)(executablePath(ROOT), words, {
      cwd: folder.path,
      env: { PATH: '/nowhere' },
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as unknown as Run;
    return { code, stdout, stderr };
  }
}

beforeAll(() => {
  writeFileSync(
    join(folder.path, 'good.env'),
    'PORT=18080\nPROVIDER=demo\nANTHROPIC_API_KEY=token-of-the-instance-123\n',
    { mode: 0o600 },
  );
  writeFileSync(
    join(folder.path, 'bad.env'),
    '# a comment\nPORT=80a1\nOPENAI_BASE_URL=ftp://host\nOPENAI_API_KEY=sk-secret-0123456789\nMAX_RETRIES=many\nBIG_MODLE=x\n',
    { mode: 0o600 },
  );
});

afterAll(() => folder.remove());

test.each([[[]], [['--check']]])(
  'a misspelt PROVIDER is an error with its line, at the start and at %j',
  async (words) => {
    const text = 'PROVDER=kimi\nPORT=18081\nOPENAI_API_KEY=sk-secret-0123456789\n';
    writeFileSync(join(folder.path, 'misspelt.env'), text, { mode: 0o600 });
    const { code, stderr } = await run('--env', 'misspelt.env', ...words);
    expect(code).toBe(78);
    expect(stderr).toContain('misspelt.env:1  PROVDER  error: found a name that means nothing here');
    expect(stderr).toContain('-> Write PROVIDER=... or remove the line.');
    expect(stderr).not.toContain('0123456789');
  },
);

test('--version prints the version of package.json', async () => {
  expect(await run('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

test('--help names the options and the exit codes', async () => {
  const { code, stdout } = await run('--help');
  expect(code).toBe(0);
  expect(stdout).toContain('--env FILE');
  expect(stdout).toContain('78');
});

test.each([[[]], [['--env']], [['--unknown']], [['--env', 'good.env', 'surplus']]])(
  '%j is a usage error',
  async (words) => {
    const { code, stdout, stderr } = await run(...words);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^claude-code-proxy: /);
    expect(stderr).not.toMatch(/\n\s+at /);
  },
);

test('--check prints the settings with masked keys', async () => {
  const { code, stdout } = await run('--env', 'good.env', '--check');
  expect(code).toBe(0);
  expect(stdout).toContain('18080');
  expect(stdout).not.toContain('token-of-the-instance-123');
});

test.each([['--check'], []])(
  'P2 a bad env file prints every problem with file, line, key and repair, and ends with 78',
  async (...flags) => {
    const { code, stdout, stderr } = await run('--env', 'bad.env', ...flags.filter((flag) => flag !== undefined));
    expect([code, stdout]).toEqual([78, '']);
    for (const [line, key] of [
      [2, 'PORT'],
      [3, 'OPENAI_BASE_URL'],
      [5, 'MAX_RETRIES'],
      [6, 'BIG_MODLE'],
    ]) {
      expect(stderr).toMatch(new RegExp(`bad\\.env:${line}\\s+${key}`));
    }
    expect(stderr).toContain('BIG_MODEL');
    expect(stderr).not.toContain('sk-secret');
    expect(stderr).not.toMatch(/\n\s+at /);
  },
);

test('a missing env file is reported by name and ends with 78', async () => {
  const { code, stderr } = await run('--env', 'nothing.env');
  expect(code).toBe(78);
  expect(stderr).toContain('nothing.env');
});
