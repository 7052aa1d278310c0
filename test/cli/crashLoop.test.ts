import { expect, onTestFinished, test, vi } from 'vitest';
import { createProject } from './temporaryProject.ts';

const LONG_WAIT = { timeout: 30_000, interval: 200 };

interface Listed {
  readonly pm2_env: { readonly restart_time: number; readonly prev_restart_delay?: number };
}

test('P3 an instance that crashes at each start is started ever more slowly, and status says so', {
  timeout: 90_000,
}, async () => {
  const project = await createProject();
  onTestFinished(() => project.dispose());
  await project.addInstance('crash');
  await project.addInstance('sound');
  await project.pm2(['start', 'ecosystem.config.cjs']);
  const crash = async () => (await project.status()).find(({ name }) => name === 'crash');
  await vi.waitFor(async () => expect((await crash())?.state).toBe('backing off'), LONG_WAIT);
  expect((await project.status()).find(({ name }) => name === 'sound')?.state).toBe('serving');

  const delayOf = async () => {
    const list = JSON.parse((await project.pm2(['jlist', '--silent'])).stdout) as (Listed & { name: string })[];
    return list.find(({ name }) => name === 'crash')?.pm2_env.prev_restart_delay ?? 0;
  };
  const before = await delayOf();
  await vi.waitFor(async () => expect(await delayOf()).toBeGreaterThan(2 * before), LONG_WAIT);
  const { code, stdout } = await project.manage(['status', 'crash']);
  expect(code).toBe(3);
  expect(stdout).toMatch(/^crash +crashing \(\d+ restarts\) /m);
});
