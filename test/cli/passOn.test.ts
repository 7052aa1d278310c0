import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProject, type TemporaryProject } from './temporaryProject.ts';

const SECRET = 'sk-canary-of-the-shell-77';

let project: TemporaryProject;
beforeAll(async () => {
  project = await createProject({ binary: resolve(import.meta.dirname, '..', '..', 'dist', 'claude-code-proxy') });
  await project.addInstance('one');
});
afterAll(() => project.dispose());

test('./manage pm2 speaks to the PM2 of the instances, with its options and exit status', async () => {
  await project.manage(['start', 'one']);
  const list = await project.manage(['pm2', 'ls', '--no-color']);
  expect(list.code).toBe(0);
  expect(list.stdout).toMatch(/\bone\b.*\bonline\b/);
  expect((await project.manage(['pm2', 'jlist'])).stdout).toContain('"name":"one"');
  expect((await project.manage(['pm2', 'describe', 'nothing-of-that-name'])).code).toBe(1);
});

test('nothing of the shell that could be a secret gets to PM2', async () => {
  await project.manage(['pm2', 'restart', 'one', '--update-env'], { MY_KEY: SECRET });
  await project.manage(['pm2', 'save'], { MY_KEY: SECRET });
  expect((await project.manage(['pm2', 'jlist'], { MY_KEY: SECRET })).stdout).not.toContain(SECRET);
  expect((await project.manage(['pm2', 'env', '0'])).stdout).not.toContain(SECRET);
});

test('./manage pm2 --help is about the command', async () => {
  const { code, stdout } = await project.manage(['pm2', '--help']);
  expect([code, stdout]).toEqual([0, expect.stringContaining('Usage: ./manage pm2 PM2-ARGUMENTS')]);
});

test('./manage version shows the versions of all parts and how to update', async () => {
  const { code, stdout, stderr } = await project.manage(['version']);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^claude-code-proxy \d+\.\d+\.\d+\nexecutable {8}\d+\.\d+\.\d+\nNode\.js {11}26\.\S+\nPM2 {15}\d+\.\d+\.\d+\n$/,
  );
  expect(stderr).toContain('To update: git pull');
  expect(JSON.parse((await project.manage(['version', '--json'])).stdout)).toMatchObject({
    schema: 1,
    node: process.versions.node,
  });
});
