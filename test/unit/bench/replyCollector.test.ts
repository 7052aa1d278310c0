import { expect, test } from 'vitest';
import { ReplyCollector } from '../../../bench/load/replyCollector.ts';
import { delaysOf, extraGapsOf } from '../../../bench/load/timing.ts';
import { deltaText } from '../../../bench/upstream/deltaText.ts';
import { messagesDialect } from '../../../bench/upstream/messagesDialect.ts';

test('each delta of a paced stream is timed once, wherever the bytes are cut', () => {
  const text =
    messagesDialect.opening + [0, 1, 2].map((index) => messagesDialect.delta(deltaText(index, 5), index)).join('');
  for (const size of [1, 9, 1000]) {
    const collector = new ReplyCollector(true);
    collector.head('HTTP/1.1 200 OK');
    for (let at = 0; at < text.length; at += size) collector.body(Buffer.from(text.slice(at, at + size)));
    const reply = collector.end();
    expect(reply.body).toBe(text);
    expect(reply.status).toBe(200);
    expect(reply.arrivals.map(({ index, sentAt }) => [index, sentAt])).toEqual([
      [0, 5],
      [1, 5],
      [2, 5],
    ]);
  }
});

test('delays and extra gaps are milliseconds beside what the upstream did', () => {
  const arrivals = [
    { index: 0, sentAt: 1000, receivedAt: 2000 },
    { index: 1, sentAt: 11_000, receivedAt: 32_000 },
    { index: 2, sentAt: 21_000, receivedAt: 32_000 },
  ];
  expect(delaysOf(arrivals)).toEqual([1, 21, 11]);
  expect(extraGapsOf(arrivals)).toEqual([20, -10]);
});
