import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProject, type TemporaryProject } from './temporaryProject.ts';

let project: TemporaryProject;
beforeAll(async () => {
  project = await createProject();
  await project.addInstance('kimi');
  await project.addInstance('glm');
});
afterAll(() => project.dispose());

async function pm2Names(): Promise<string[]> {
  const rows: { name: string }[] = JSON.parse((await project.pm2(['jlist'])).stdout);
  return rows.map(({ name }) => name).sort();
}

test('P7 twenty starts at once give one process per instance', { timeout: 120_000 }, async () => {
  const commands = Array.from({ length: 20 }, () => project.manage(['start', 'all', '--json']));
  const finished = await Promise.all(commands);
  expect(finished.map(({ code }) => code)).toEqual(Array(20).fill(0));
  expect(await pm2Names()).toEqual(['glm', 'kimi']);
  const pids = finished.map(({ stdout }) =>
    JSON.parse(stdout)
      .instances.map(({ pid }: { pid: number }) => pid)
      .join(),
  );
  expect(new Set(pids).size).toBe(1);
});

test('P7 starts, stops, restarts and reloads at once end in at most one process each, and a last start makes it one', {
  timeout: 120_000,
}, async () => {
  const words = ['start', 'stop', 'restart', 'start', 'reload', 'stop', 'restart', 'start', 'reload', 'restart'];
  const finished = await Promise.all(words.map((word) => project.manage([word, 'all'])));
  expect(finished.map(({ code }) => code)).toEqual(words.map(() => 0));
  expect((await project.manage(['start', 'all'])).code).toBe(0);
  expect(await pm2Names()).toEqual(['glm', 'kimi']);
  expect((await project.status()).map(({ state }) => state)).toEqual(['serving', 'serving']);
});
