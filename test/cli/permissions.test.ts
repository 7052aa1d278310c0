import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Probe, writeProbeHook } from '../helpers/probeHook.ts';
import { call, message } from '../helpers/startApp.ts';
import { waitUntil } from '../helpers/waitUntil.ts';
import { createProject, type TemporaryProject } from './temporaryProject.ts';

let project: TemporaryProject;
beforeAll(async () => {
  project = await createProject({ binary: resolve(import.meta.dirname, '..', '..', 'dist', 'claude-code-proxy') });
});
afterAll(() => project.dispose());

async function outcomes(port: number): Promise<string[]> {
  let found: string[] = [];
  await waitUntil('the hooks answer', async () => {
    const { text } = await call(`http://127.0.0.1:${port}/v1/messages`, message('claude-opus-5'));
    const words: string | undefined = JSON.parse(text).content?.[0].text;
    if (words?.startsWith('[')) found = JSON.parse(words);
    return found.length > 0;
  });
  return found;
}

test('under PM2 an instance has no rights but its own, after a crash and a restart too', async () => {
  const { root, pm2Home } = project;
  const denied: Probe[] = [
    ['read', '/etc/passwd'],
    ['read', join(root, 'envs/other.env')],
    ['read', join(pm2Home, 'pm2.log')],
    ['read', join(root, 'logs/other/other.log')],
    ['write', join(root, 'envs/probed.env')],
    ['write', join(root, 'dist/claude-code-proxy')],
    ['write', join(pm2Home, 'dump.pm2')],
    ['write', join(root, 'state/other.usage.sqlite')],
    ['spawn', 'true'],
  ];
  const allowed: Probe[] = [
    ['read', join(root, 'envs/probed.env')],
    ['write', join(root, 'logs/probed/more.log')],
    ['write', join(root, 'logs/probed/console.log')],
    ['database', join(root, 'state/probed.usage.sqlite')],
  ];
  mkdirSync(join(root, 'logs/other'), { recursive: true });
  writeFileSync(join(root, 'logs/other/other.log'), '');
  const hooks = writeProbeHook(join(root, 'hooks'), [...denied, ...allowed]);
  const port = await project.addInstance('probed', [`HOOKS_FILE=${hooks}`]);
  await project.addInstance('other');
  const started = await project.manage(['start', 'all']);
  expect(started.code, started.stderr).toBe(0);
  const expected = [...denied.map(() => 'ERR_ACCESS_DENIED'), ...allowed.map(() => 'done')];
  expect(await outcomes(port)).toEqual(expected);

  const row = async () => (await project.status()).find(({ name }) => name === 'probed');
  const first = (await row())?.pid ?? 0;
  process.kill(first, 'SIGKILL');
  await waitUntil('PM2 has started it again', async () => {
    const { pid, state } = (await row()) ?? {};
    return state === 'serving' && pid !== first;
  });
  expect(await outcomes(port)).toEqual(expected);
  expect((await project.manage(['restart', 'probed'])).code).toBe(0);
  expect(await outcomes(port)).toEqual(expected);
  expect((await project.status()).map(({ state, supervised }) => [state, supervised])).toEqual([
    ['serving', true],
    ['serving', true],
  ]);
  expect(readFileSync(join(root, 'logs/probed/console.log'), 'utf8')).not.toContain('restricted');
});
