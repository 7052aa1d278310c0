import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createProject, type TemporaryProject } from './temporaryProject.ts';

const IN_FILE = 'sk-canary-file-4f9a8b7c6d5e';
const TOKEN = 'token-canary-0a1b2c3d4e5f6071';
const IN_SHELL = 'sk-canary-shell-1234567890';
const forms = [IN_FILE, TOKEN, IN_SHELL].flatMap((secret) => [
  secret,
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
]);
const shell = { ANTHROPIC_API_KEY: IN_SHELL, MY_SECRET: IN_SHELL, HTTPS_PROXY: `http://me:${IN_SHELL}@127.0.0.1:9` };

let project: TemporaryProject;
let port: number;
beforeAll(async () => {
  project = await createProject({ binary: resolve(import.meta.dirname, '..', '..', 'dist', 'claude-code-proxy') });
  const lines = [`OPENAI_API_KEY=${IN_FILE}`, `ANTHROPIC_API_KEY=${TOKEN}`, 'OPENAI_BASE_URL=http://127.0.0.1:9/v1'];
  port = await project.addInstance('kimi', lines.concat('PROVIDER=kimi'));
  expect((await project.manage(['start', 'all'], shell)).code).toBe(0);
  await project.pm2(['save']);
});
afterAll(() => project.dispose());

function expectNoSecret(text: string): void {
  expect(text).not.toBe('');
  for (const form of forms) expect(text).not.toContain(form);
}

async function readTree(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('\n');
}

async function pidOfInstance(): Promise<number> {
  return (await project.status())[0]?.pid ?? 0;
}

describe('S1 R514 no secret, neither of the env file nor of the shell that called', () => {
  test('in what the manager prints', async () => {
    for (const words of [['status'], ['status', '--json'], ['start', 'all'], ['logs'], ['restart', 'kimi']]) {
      const { stdout, stderr } = await project.manage(words, shell);
      expectNoSecret(stdout + stderr);
    }
  });

  test('in PM2’s list, environment, dump and every other file of its home', async () => {
    expectNoSecret((await project.pm2(['jlist'])).stdout);
    expectNoSecret((await project.pm2(['env', '0'])).stdout);
    expectNoSecret((await project.pm2(['describe', 'kimi'])).stdout);
    expectNoSecret(await readFile(join(project.pm2Home, 'dump.pm2'), 'utf8'));
    expectNoSecret(await readTree(project.pm2Home));
  });

  test.runIf(process.platform === 'linux')('in environment and command line of the instance and of PM2', async () => {
    const daemon = Number(await readFile(join(project.pm2Home, 'pm2.pid'), 'utf8'));
    for (const pid of [daemon, await pidOfInstance()]) {
      expectNoSecret(await readFile(`/proc/${pid}/environ`, 'latin1'));
      expectNoSecret(await readFile(`/proc/${pid}/cmdline`, 'latin1'));
    }
  });

  test('when plain pm2 starts the ecosystem file from such a shell', async () => {
    await project.pm2(['delete', 'all']); // a new app takes its environment from the shell, another keeps its own
    await project.pm2(['start', 'ecosystem.config.cjs'], shell);
    await project.pm2(['save', '--force'], shell);
    expectNoSecret((await project.pm2(['jlist'])).stdout);
    expectNoSecret(await readFile(join(project.pm2Home, 'dump.pm2'), 'utf8'));
    await vi.waitFor(async () => expect((await project.status())[0]?.state).toBe('serving'), { timeout: 20_000 });
  });

  test('in answers, logs and state', async () => {
    expectNoSecret(await (await fetch(`http://127.0.0.1:${port}/health`)).text());
    const message = { model: 'claude-opus-4-6', max_tokens: 9, messages: [{ role: 'user', content: 'hello' }] };
    for (const [key, status] of [
      [IN_SHELL, 401],
      [TOKEN, 529],
    ] as const) {
      const headers = { 'content-type': 'application/json', 'x-api-key': key };
      const body = JSON.stringify(message);
      const refused = await fetch(`http://127.0.0.1:${port}/v1/messages`, { method: 'POST', headers, body });
      expect(refused.status).toBe(status);
      expectNoSecret(await refused.text());
    }
    const { stdout } = await project.manage(['status', '--json'], shell);
    expect(JSON.parse(stdout).instances[0].last_error).not.toBeNull();
    expectNoSecret(stdout);
    expectNoSecret(await readTree(join(project.root, 'logs')));
    expectNoSecret(await readTree(join(project.root, 'state')));
  });
});
