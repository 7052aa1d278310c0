import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { envLine } from '../../src/cli/envs/envFiles.ts';
import { createProject, run, type TemporaryProject } from './temporaryProject.ts';

const FAKE_CLAUDE = resolve(import.meta.dirname, 'fakeClaude.mjs');
const LONG_WAIT = { timeout: 20_000 };

/** Names of folders, with everything that a shell, a URL, PM2 or an env file could take for something else. */
const folders = ["it's my project", 'a"b(c)[d]{e}!,`id`', 'x&y; $HOME |<>', 'ümläut 你好 😀', '100% #1? ~+='];

describe.each(folders)('H1 in a folder with the name %s', { timeout: 120_000 }, (folder) => {
  let project: TemporaryProject;
  let port: number;
  const ok = async (...words: string[]) => {
    const finished = await project.manage(words, { CLAUDE_BIN: FAKE_CLAUDE });
    expect(finished.code, `${words.join(' ')}: ${finished.stderr}`).toBe(0);
    return finished;
  };

  beforeAll(async () => {
    project = await createProject({ isBuilt: true, folder });
    const place = (name: string) => join(project.root, name);
    port = await project.addInstance('demo', [
      envLine('LOG_DIR', place('own logs')),
      envLine('STATE_DIR', place('own state')),
    ]);
  });
  afterAll(() => project.dispose());

  // One story, in order.
  test('it starts, and PM2 runs the executable itself', async () => {
    expect((await ok('start', 'demo')).stderr).toMatch(/^demo up on/m);
    const [app] = JSON.parse((await project.pm2(['jlist'])).stdout);
    expect(app.pm2_env.pm_exec_path).toBe(join(project.root, 'dist', 'claude-code-proxy'));
    expect(await project.status()).toMatchObject([{ name: 'demo', state: 'serving', supervised: true, port }]);
  });

  test('run hands over a status line that a shell can run', async () => {
    const { stdout } = await ok('run', 'demo', '--', '-p', 'hello');
    const { settings, directory, environment } = JSON.parse(stdout.split('\n')[0] ?? '');
    expect([directory, environment.HOME]).toEqual([project.root, project.home]);
    expect(settings.env.ANTHROPIC_BASE_URL).toBe(`http://127.0.0.1:${port}`);
    const line = await run('sh', ['-c', settings.statusLine.command], project.root, {}, '{}');
    expect(line.stdout, line.stderr).toContain('demo');
  });

  test('it answers, logs and counts in the folders that the env file names', async () => {
    const body = JSON.stringify({ model: 'sonnet', max_tokens: 10, messages: [{ role: 'user', content: 'hello' }] });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`http://127.0.0.1:${port}/v1/messages`, { method: 'POST', headers, body });
    expect(answer.status, await answer.text()).toBe(200);
    await expect.poll(async () => (await ok('logs', 'demo')).stdout, LONG_WAIT).toContain('sonnet');
    expect(await readdir(join(project.root, 'own logs', 'demo'))).toContain('demo.log');
    expect(await readdir(join(project.root, 'own state'))).toContain('demo.usage.sqlite');
  });

  test('reload, bundle and stop work', async () => {
    const [before] = await project.status();
    expect((await ok('reload', 'demo', '--force')).stderr).toContain('demo reloaded, on');
    const [after] = await project.status();
    expect(after?.state).toBe('serving');
    expect(after?.pid).not.toBe(before?.pid);
    await ok('bundle');
    await ok('stop', 'demo');
    expect((await project.pm2(['jlist'])).stdout).toBe('[]');
  });

  test('plain pm2 starts it by the ecosystem file, too', async () => {
    const { code, stderr } = await project.pm2(['start', 'ecosystem.config.cjs']);
    expect(code, stderr).toBe(0);
    await expect.poll(async () => (await project.status())[0]?.state, LONG_WAIT).toBe('serving');
    expect(await readFile(join(project.root, 'logs', 'demo', 'console.log'), 'utf8')).not.toContain('No such file');
  });

  test.runIf(folder === folders[0])(
    'what an earlier ecosystem file has left in PM2 can be replaced and stopped',
    async () => {
      const script = `const { apps } = require('./ecosystem.config.cjs');
      module.exports = { apps: apps.map((app) => ({ ...app, script: app.cwd + '/' + app.script })) };`;
      await writeFile(join(project.root, 'earlier.config.cjs'), script);
      const startAsBefore = async () => {
        await ok('stop', 'demo');
        await project.pm2(['start', 'earlier.config.cjs']);
        const [app] = JSON.parse((await project.pm2(['jlist'])).stdout);
        expect(app.pm2_env).toMatchObject({ pm_exec_path: expect.stringMatching(/bash$/), pm_cwd: project.root });
      };
      await startAsBefore();
      expect((await ok('start', 'demo')).stderr).toMatch(/^demo up on/m);
      expect(JSON.parse((await project.pm2(['jlist'])).stdout)).toHaveLength(1);
      await startAsBefore();
      await ok('stop', 'demo');
      expect((await project.pm2(['jlist'])).stdout).toBe('[]');
    },
  );
});
