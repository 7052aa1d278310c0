import { expect, onTestFinished, test } from 'vitest';
import { LONG } from '../helpers/loadStage.ts';
import { createProject } from './temporaryProject.ts';

const INSTANCES = LONG ? 10 : 3;
const STATUS_MAX_MS = 150;
const START_ALL_MAX_MS = 5000;
const READY_MAX_MS = 700;

async function timed<Result>(work: () => Promise<Result>): Promise<{ result: Result; ms: number }> {
  const startedAt = performance.now();
  const result = await work();
  return { result, ms: performance.now() - startedAt };
}

test('L10 many instances come up together and are all in the status', { timeout: 120_000 }, async () => {
  const project = await createProject({ isBuilt: true });
  onTestFinished(() => project.dispose());
  const names = Array.from({ length: INSTANCES }, (_, index) => `demo-${index}`);
  for (const name of names) await project.addInstance(name);
  // The first start brings up PM2 itself as well.
  expect((await project.manage(['start', 'demo-0'])).code).toBe(0);
  const all = await timed(() => project.manage(['start', 'all']));
  expect(all.result.code).toBe(0);
  expect(new Set((await project.status()).map(({ name, state }) => `${name} ${state}`))).toEqual(
    new Set(names.map((name) => `${name} serving`)),
  );
  if (!LONG) return;
  const statuses: number[] = [];
  for (let round = 0; round < 5; round += 1) statuses.push((await timed(() => project.manage(['status']))).ms);
  await project.manage(['stop', 'demo-0']);
  const one = await timed(() => project.manage(['start', 'demo-0']));
  const status = statuses.sort((a, b) => a - b)[2] ?? 0;
  console.info(
    `L10: status of ${INSTANCES} ${status.toFixed(0)} ms, start all ${all.ms.toFixed(0)} ms, one up ${one.ms.toFixed(0)} ms`,
  );
  expect(status).toBeLessThanOrEqual(STATUS_MAX_MS);
  expect(all.ms).toBeLessThanOrEqual(START_ALL_MAX_MS);
  expect(one.ms).toBeLessThanOrEqual(READY_MAX_MS);
});
