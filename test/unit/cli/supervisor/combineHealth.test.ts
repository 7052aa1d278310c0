import { expect, test } from 'vitest';
import { combineHealth } from '../../../../src/cli/supervisor/health.ts';
import { sampleAnswer } from './sampleInstance.ts';

const worker = (pid: number, figures: Record<string, unknown>) => sampleAnswer({ pid, ...figures }).health;

test('the processes of an instance are summed up, and the latest error of any is that of the instance', () => {
  const first = worker(1, {
    requests: { total: 3, failed: 1 },
    queue: { running: 1, waiting: 0 },
    in_flight: 1,
    vision: { model: 'eyes', described: 2, failed: 1 },
    unseen_pictures: 1,
    memory_bytes: 100,
    version: '1.0.0',
    last_error: { at: '2026-11-20T08:00:00.000Z', status: 500 },
    last_success_at: '2026-11-20T09:00:00.000Z',
  });
  const second = worker(2, {
    requests: { total: 4, failed: 0 },
    queue: { running: 2, waiting: 5 },
    in_flight: 2,
    vision: { model: 'eyes', described: 3, failed: 0 },
    unseen_pictures: 2,
    memory_bytes: 50,
    version: '2.0.0',
    last_error: { at: '2026-11-20T10:00:00.000Z', status: 429 },
    last_success_at: null,
  });
  expect(combineHealth(first, [second, first])).toMatchObject({
    pid: 1,
    version: '1.0.0',
    requests: { total: 7, failed: 1 },
    queue: { running: 3, waiting: 5 },
    in_flight: 3,
    vision: { model: 'eyes', described: 5, failed: 1 },
    unseen_pictures: 3,
    memory_bytes: 150,
    last_error: { status: 429 },
    last_success_at: '2026-11-20T09:00:00.000Z',
  });
});

test('a single process stays as it is', () => {
  const only = worker(1, { requests: { total: 3 }, last_error: null });
  expect(combineHealth(only, [only])).toEqual(only);
});
