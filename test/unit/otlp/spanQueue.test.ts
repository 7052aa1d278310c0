import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Collector, ExportResult } from '../../../src/otlp/exporter.ts';
import { OtlpHistogram } from '../../../src/otlp/histograms.ts';
import { SpanQueue } from '../../../src/otlp/spanQueue.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const AGAIN: ExportResult = { kind: 'again', afterMs: undefined, reason: 'away' };

function createQueue(answer: (spans: number) => ExportResult) {
  const sizes: number[] = [];
  const send = async (body: string) => {
    sizes.push(Number(body));
    return answer(Number(body));
  };
  const collector = { send } as unknown as Collector;
  const queue = new SpanQueue(collector, (spans) => String(spans.length), clock);
  const add = (count: number) => {
    for (let index = 0; index < count; index += 1) queue.add({});
  };
  return { queue, add, sizes };
}

test('spans go together, at most 512 at once, and what is too much for the memory is dropped', async () => {
  const { queue, add, sizes } = createQueue(() => ({ kind: 'sent', rejected: 0 }));
  add(3000);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(sizes).toEqual([512, 512, 512, 512]);
  expect(queue.status()).toEqual({ sent: 2048, dropped: 952, healthy: true, lastError: undefined });
});

test('what a collector refuses for ever is dropped after five attempts, and newer spans get their turn', async () => {
  let isAway = true;
  const { queue, add, sizes } = createQueue(() => (isAway ? AGAIN : { kind: 'sent', rejected: 0 }));
  add(600);
  await vi.advanceTimersByTimeAsync(32_000);
  expect(sizes).toEqual([512, 512, 512, 512, 512]);
  expect(queue.status()).toEqual({ sent: 0, dropped: 512, healthy: false, lastError: 'away' });
  isAway = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(queue.status()).toEqual({ sent: 88, dropped: 512, healthy: true, lastError: 'away' });
});

test('what it refuses at once, or in part, is dropped and counted', async () => {
  const { queue, add } = createQueue((spans) =>
    spans === 2 ? { kind: 'refused', reason: 'bad' } : { kind: 'sent', rejected: 1 },
  );
  add(2);
  await vi.advanceTimersByTimeAsync(2000);
  expect(queue.status()).toMatchObject({ sent: 0, dropped: 2, lastError: 'bad' });
  add(5);
  await queue.close();
  expect(queue.status()).toMatchObject({ sent: 4, dropped: 3 });
});

test('a histogram has at most 1000 sets of attributes, and counts further ones as one', () => {
  const histogram = new OtlpHistogram('name', 's', 'about', [1, 2]);
  for (let index = 0; index < 1500; index += 1) histogram.observe({ model: String(index) }, index % 4);
  const { dataPoints } = (histogram.encode(0, 1) as { histogram: { dataPoints: { count: string }[] } }).histogram;
  expect(dataPoints).toHaveLength(1001);
  expect(dataPoints.at(-1)).toMatchObject({
    attributes: [{ key: 'otel.metric.overflow', value: { boolValue: true } }],
    count: '500',
    bucketCounts: ['250', '125', '125'],
  });
});
