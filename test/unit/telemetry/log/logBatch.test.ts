import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LogBatchQueue } from '../../../../src/telemetry/log/queue.ts';

test('joins lines, in order, into batches no larger than allowed', () => {
  const limits = { complete: 8, largest: 20, waiting: 1_000 };
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 30 }).map((text) => text.replaceAll('\n', ''))), (lines) => {
      const queue = new LogBatchQueue(limits);
      for (const line of lines) expect(queue.add(line)).toBe(true);
      let text = '';
      let count = 0;
      for (let batch = queue.take(); batch; batch = queue.take()) {
        text += batch.text;
        count += batch.lines;
        expect(batch.text.endsWith('\n')).toBe(true);
        // A single line may be longer, and is then added to what was not yet complete.
        expect(batch.text.length).toBeLessThanOrEqual(Math.max(limits.largest, limits.complete + 31));
      }
      expect(text).toBe(lines.map((line) => `${line}\n`).join(''));
      expect(count).toBe(lines.length);
    }),
  );
});

test('says when a batch need not wait for more', () => {
  const queue = new LogBatchQueue({ complete: 10, largest: 10, waiting: 100 });
  queue.add('1234');
  expect(queue.hasComplete).toBe(false);
  queue.add('1234');
  expect(queue.hasComplete).toBe(true);
});

test('refuses lines beyond its bound until some are taken', () => {
  const queue = new LogBatchQueue({ complete: 10, largest: 10, waiting: 20 });
  expect([queue.add('123456789'), queue.add('123456789'), queue.add('')]).toEqual([true, true, false]);
  expect(queue.take()).toEqual({ text: '123456789\n', lines: 1 });
  expect(queue.add('123456789')).toBe(true);
  expect(queue.clear()).toBe(2);
  expect(queue.take()).toBe(undefined);
  expect(queue.add('12345678901234567890')).toBe(false);
});
