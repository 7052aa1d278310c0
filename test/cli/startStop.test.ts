import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProject, freePort, type TemporaryProject } from './temporaryProject.ts';

let project: TemporaryProject;
const names = ['demo', 'gemini', 'glm', 'kimi', 'minimax'];

async function pidsByName(): Promise<Record<string, number | null>> {
  return Object.fromEntries((await project.status()).map(({ name, pid }) => [name, pid]));
}

async function statesByName(): Promise<Record<string, string>> {
  return Object.fromEntries((await project.status()).map(({ name, state }) => [name, state]));
}

beforeAll(async () => {
  project = await createProject();
  // The examples as they are, but on ports that are free here.
  for (const name of names) {
    const file = join(project.root, 'envs', `${name}.env.example`);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(/^PORT=\d+/m, `PORT=${await freePort()}`));
  }
});
afterAll(() => project.dispose());

// One story, in order: each test starts from what the one before has left.
describe('from a fresh clone', () => {
  test('status before anything: a word on what to do, no PM2 daemon', async () => {
    const { code, stderr } = await project.manage(['status']);
    expect(code).toBe(0);
    expect(stderr).toContain('./manage start all makes them');
    await expect(stat(project.pm2Home)).rejects.toThrow('ENOENT');
  });

  test('a name that stands for nothing is reported before anything is made', async () => {
    const { code, stderr } = await project.manage(['start', 'demo', 'nosuch']);
    expect(code).toBe(2);
    expect(stderr).toContain('there is no instance "nosuch"');
    await expect(stat(join(project.root, 'envs', 'demo.env'))).rejects.toThrow('ENOENT');
  });

  test('the first start of one makes its env file alone', async () => {
    const { code, stderr } = await project.manage(['start', 'demo']);
    expect(code).toBe(0);
    expect(stderr).toContain('Made envs/demo.env from the examples.');
  });

  test('the first start of all makes the other env files and starts every one', async () => {
    const { code, stdout, stderr } = await project.manage(['start', 'all']);
    expect(stderr).toContain('Made envs/gemini.env, envs/glm.env, envs/kimi.env, envs/minimax.env');
    expect(stderr).toMatch(/^kimi up on 127\.0\.0\.1:\d+ in \d+\.\d s$/m);
    expect(stderr).toMatch(
      /^Use it: \.\/manage run demo\n {4}or: ANTHROPIC_BASE_URL=http:\/\/127\.0\.0\.1:\d+ ANTHROPIC_AUTH_TOKEN=\w+ API_TIMEOUT_MS=\d+ claude$/m,
    );
    expect(stdout.split('\n').filter((line) => / (?:ready|no key) /.test(line))).toHaveLength(5);
    expect(code).toBe(0);
    expect((await stat(join(project.root, 'envs', 'kimi.env'))).mode & 0o777).toBe(0o600);
  });

  test('status: all serve, as PM2 knows, exit status 0', async () => {
    const rows = await project.status();
    expect(rows.map(({ name }) => name)).toEqual(names);
    expect(rows.every(({ state, supervised }) => state === 'serving' && supervised)).toBe(true);
    expect((await project.manage(['status'])).code).toBe(0);
  });

  test('a second start changes nothing', async () => {
    const before = await pidsByName();
    const { code, stderr } = await project.manage(['start', 'all']);
    expect(code).toBe(0);
    expect(stderr).toContain('kimi already up');
    expect(await pidsByName()).toEqual(before);
  });

  test('stop of one leaves the others; a second stop is no error', async () => {
    const before = await pidsByName();
    expect((await project.manage(['stop', 'glm'])).code).toBe(0);
    const after = await pidsByName();
    expect(after).toEqual({ ...before, glm: null });
    const { code, stdout, stderr } = await project.manage(['stop', 'glm', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 1,
      instances: [{ name: 'glm', state: 'not started', condition: 'stopped' }],
    });
    expect(stderr).toContain('glm does not run');
    const status = await project.manage(['status']);
    expect(status.stdout).toMatch(/^glm +stopped /m);
    // What was stopped on purpose is not wrong, unless the caller wants everything to run.
    expect(status.code).toBe(0);
    expect((await project.manage(['status', '--all-up'])).code).toBe(3);
    expect((await project.manage(['status', 'kimi', '--all-up'])).code).toBe(0);
  });

  test('new settings are noticed by start and taken by restart', async () => {
    const before = await pidsByName();
    const file = join(project.root, 'envs', 'kimi.env');
    await writeFile(file, `${await readFile(file, 'utf8')}\nMAX_RETRIES=1\n`);
    const started = await project.manage(['start', 'kimi']);
    expect(started.stderr).toContain('older settings');
    expect(started.stderr).toContain('./manage reload kimi');
    expect((await pidsByName())['kimi']).toBe(before['kimi']);

    expect((await project.manage(['restart', 'kimi'])).code).toBe(0);
    const after = await pidsByName();
    expect(after['kimi']).not.toBe(before['kimi']);
    expect(after).toEqual({ ...before, kimi: after['kimi'], glm: null });
    expect((await project.manage(['start', 'kimi'])).stderr).toContain('kimi already up');
  });

  test('restart leaves an instance running whose new settings are wrong', async () => {
    const before = await pidsByName();
    const file = join(project.root, 'envs', 'kimi.env');
    const text = await readFile(file, 'utf8');
    await writeFile(file, `${text}\nMAX_RETRIES=banana\n`);
    const { code, stderr } = await project.manage(['restart', 'kimi']);
    await writeFile(file, text);
    expect(code).toBe(78);
    expect(stderr).toMatch(/^envs\/kimi\.env:\d+ {2}MAX_RETRIES/m);
    expect(await pidsByName()).toEqual(before);
  });

  test('plain pm2 start of the ecosystem file works too', async () => {
    expect((await project.pm2(['start', 'ecosystem.config.cjs', '--only', 'glm'])).code).toBe(0);
    // PM2 by itself does not wait until the instance listens.
    await expect.poll(async () => (await statesByName())['glm'], { timeout: 20_000 }).toBe('serving');
  });

  test('pm2 logs shows what an instance said, also without following', async () => {
    const { stdout } = await project.pm2(['logs', 'glm', '--nostream', '--lines', '5']);
    expect(stdout).toContain('glm listens on');
  });

  test('an instance whose env file was removed can still be seen and stopped', async () => {
    const file = join(project.root, 'envs', 'minimax.env');
    const text = await readFile(file, 'utf8');
    await rm(file);
    expect((await statesByName())['minimax']).toBe('serving');
    expect((await project.manage(['stop', 'minimax'])).code).toBe(0);
    expect((await statesByName())['minimax']).toBeUndefined();
    await writeFile(file, text, { mode: 0o600 });
  });

  test('stop of all frees the ports and empties PM2’s list', async () => {
    expect((await project.manage(['stop', 'all'])).code).toBe(0);
    expect(new Set(Object.values(await statesByName()))).toEqual(new Set(['not started']));
    expect(JSON.parse((await project.pm2(['jlist'])).stdout)).toEqual([]);
  });
});
