import { execFileSync, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasPseudoTerminal, runInTerminal } from '../helpers/pseudoTerminal.ts';
import { createProject, type TemporaryProject } from './temporaryProject.ts';

const TOKEN = 'to"ken$(id)of*the`instance~';

let project: TemporaryProject;
let port: number;
const env = (words: string[], environment?: Record<string, string>) => project.manage(['env', ...words], environment);

const hasProgram = (name: string) => spawnSync(name, ['--version']).status === 0;

beforeAll(async () => {
  project = await createProject();
  port = await project.addInstance('one', [`ANTHROPIC_API_KEY='${TOKEN}'`]);
  await project.addInstance('keyless', [
    'PROVIDER=custom',
    'OPENAI_BASE_URL=http://127.0.0.1:9/v1',
    'BIG_MODEL=m',
    'SMALL_MODEL=m',
  ]);
});
afterAll(() => project.dispose());

describe('./manage env', () => {
  test.each(['bash', 'zsh', 'fish'].filter(hasProgram))('%s takes over what it prints', async (shell) => {
    const { code, stdout } = await env(['one', '--shell', shell]);
    expect(code).toBe(0);
    const script = shell === 'fish' ? 'echo $TEXT | source' : 'eval "$TEXT"';
    const printed = execFileSync(shell, ['-c', `${script}; env`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        TEXT: stdout.trimEnd(),
        CLAUDE_CODE_USE_BEDROCK: '1',
        ANTHROPIC_API_KEY: 'sk-mine',
      },
    });
    const lines = printed.split('\n');
    expect(lines).toContain(`ANTHROPIC_BASE_URL=http://127.0.0.1:${port}`);
    expect(lines).toContain(`ANTHROPIC_AUTH_TOKEN=${TOKEN}`);
    expect(lines).toContain('ANTHROPIC_DEFAULT_OPUS_MODEL_NAME=demo-big (one)');
    expect(lines.filter((line) => /^(CLAUDE_CODE_USE_BEDROCK|ANTHROPIC_API_KEY)=/.test(line))).toEqual([]);
  });

  test('the shell is the user’s, bash where it is not known', async () => {
    expect((await env(['one'], { SHELL: '/usr/bin/fish' })).stdout).toContain('set -gx ANTHROPIC_MODEL');
    expect((await env(['one'], { SHELL: '/bin/dash' })).stdout).toContain('export ANTHROPIC_MODEL=');
    expect((await env(['one', '--shell', 'powershell'])).stdout).toContain(
      "$Env:ANTHROPIC_DEFAULT_OPUS_MODEL = 'demo-big'",
    );
  });

  test('stdout is for the eval alone', async () => {
    const { stdout, stderr } = await env(['one', '--shell', 'bash']);
    expect(stderr).toContain('one does not run; start it with: ./manage start one');
    for (const line of stdout.trim().split('\n')) expect(line).toMatch(/^(export [A-Za-z_]+='|unset [A-Z_ ]+$)/);
  });

  test('the user’s own token stays where the provider’s key is the user’s', async () => {
    const without = await env(['keyless', '--shell', 'bash']);
    expect(without.stderr).toContain('set ANTHROPIC_AUTH_TOKEN to yours');
    expect(without.stdout).not.toContain('ANTHROPIC_AUTH_TOKEN');
    const { stdout } = await env(['keyless', '--shell', 'bash'], { ANTHROPIC_AUTH_TOKEN: 'mine' });
    expect(stdout).toContain("export ANTHROPIC_AUTH_TOKEN='mine'");
  });

  test.runIf(hasPseudoTerminal)('on a terminal the token is masked, and the way to take it over shown', async () => {
    const program = runInTerminal([process.execPath, join(project.root, 'scripts', 'manage.ts'), 'env', 'one'], {
      columns: 200,
      folder: project.root,
      environment: { HOME: dirname(project.root), PM2_HOME: project.pm2Home },
    });
    await program.waitFor(/To set them here: eval "\$\(\.\/manage env one\)"/);
    expect(program.shown()).toContain("ANTHROPIC_AUTH_TOKEN='****'");
    expect(program.shown()).not.toContain('$(id)');
  });
});
