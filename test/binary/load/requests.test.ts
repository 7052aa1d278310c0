import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { smallBody } from '../../../bench/bodies/smallBody.ts';
import { checkMessage } from '../../../bench/load/checkAnswer.ts';
import { Connection } from '../../../bench/load/connection.ts';
import { RequestTemplate } from '../../../bench/load/requestTemplate.ts';
import { extraGapsOf } from '../../../bench/load/timing.ts';
import { bytesFor, type Subject } from '../../../bench/processes/subject.ts';
import { quantile } from '../../../bench/report/statistics.ts';
import { LONG, openLoadStage } from '../../helpers/loadStage.ts';
import { call, message } from '../../helpers/startApp.ts';

const at = (values: readonly number[], share: number) => quantile(values, share) ?? 0;
const inMs = (value: number) => `${value.toFixed(2)} ms`;

/** About 10 kB of text. */
const ORDER = { deltas: 620, everyMs: 0 };

/** Asks at a fixed rate, whether the answers come or not, as many clients do; gives the milliseconds of each. */
async function askAtRate({ target, port }: Subject, perSecond: number, seconds: number): Promise<number[]> {
  const free: Connection[] = [];
  const bytes = bytesFor(target, smallBody(ORDER, false));
  const askOne = async (index: number) => {
    await sleep((index * 1000) / perSecond);
    const connection = free.pop() ?? (await Connection.open(port));
    const reply = await connection.ask(new RequestTemplate(bytes).next(index));
    free.push(connection);
    checkMessage(reply, { deltas: ORDER.deltas, promptTokens: 1 });
    return (reply.endedAt - reply.askedAt) / 1000;
  };
  const times = await Promise.all(Array.from({ length: perSecond * seconds }, (_, index) => askOne(index)));
  for (const connection of free) connection.close();
  return times;
}

test('L4 500 small requests a second: each answer is whole', { timeout: 300_000 }, async () => {
  const stage = await openLoadStage();
  const proxy = await stage.proxy();
  const [perSecond, seconds] = LONG ? [500, 20] : [200, 1];
  await askAtRate(proxy, perSecond, 1);
  if (!LONG) return;
  const direct = await askAtRate(await stage.direct(), perSecond, seconds);
  const through = await askAtRate(proxy, perSecond, seconds);
  const added = [0.5, 0.99].map((share) => at(through, share) - at(direct, share));
  console.info(
    `L4: added p50 ${inMs(added[0] ?? 0)}, p99 ${inMs(added[1] ?? 0)} (direct p99 ${inMs(at(direct, 0.99))})`,
  );
  expect(added[0]).toBeLessThanOrEqual(1);
  expect(added[1]).toBeLessThanOrEqual(5);
});

test('L8 above MAX_CONCURRENT and MAX_QUEUE each is refused at once and asked to come back, and running streams do not notice', {
  timeout: 60_000,
}, async () => {
  const stage = await openLoadStage();
  const { target, port } = await stage.proxy('MAX_CONCURRENT=5', 'MAX_QUEUE=0');
  const order = { deltas: LONG ? 500 : 100, everyMs: 20 };
  const running = Array.from({ length: 5 }, async (_, index) => {
    const connection = await Connection.open(port);
    const reply = await connection.ask(new RequestTemplate(bytesFor(target, smallBody(order, true))).next(index), true);
    connection.close();
    return extraGapsOf(reply.arrivals);
  });
  await expect.poll(async () => JSON.parse((await call(`http://127.0.0.1:${port}/health`)).text).queue.running).toBe(5);
  const times: number[] = [];
  for (let round = 0; round < (LONG ? 1000 : 100); round += 1) {
    const startedAt = performance.now();
    const answer = await call(`http://127.0.0.1:${port}/v1/messages`, message('claude-sonnet-5', { stream: true }));
    times.push(performance.now() - startedAt);
    expect([answer.status, answer.headers['retry-after']]).toEqual([529, '5']);
  }
  const gaps = (await Promise.all(running)).flat();
  expect(gaps).toHaveLength(5 * (order.deltas - 1));
  if (!LONG) return;
  console.info(
    `L8: 529 after p99 ${inMs(at(times, 0.99))}; pauses of running streams longer by p99 ${inMs(at(gaps, 0.99))}`,
  );
  expect(at(times, 0.99)).toBeLessThanOrEqual(50);
  expect(at(gaps, 0.99)).toBeLessThanOrEqual(100);
});

const MEGABYTE = 1_000_000;
const hostile = {
  'one letter': 'a',
  blanks: ' ',
  ideographs: '中',
  base64: 'c29tZSBieXRlcyB0aGF0IHNheSBub3RoaW5nLCD/AA',
  'special tokens': '<|endoftext|>',
  'lone surrogates': '\ud800',
};

test('L9 count_tokens of a megabyte of anything is quick, and no stream stands still for it', {
  timeout: 60_000,
}, async () => {
  const stage = await openLoadStage();
  const { target, port } = await stage.proxy();
  const order = { deltas: LONG ? 1000 : 100, everyMs: 10 };
  const connection = await Connection.open(port);
  const streaming = connection.ask(new RequestTemplate(bytesFor(target, smallBody(order, true))).next(0), true);
  const times: number[] = [];
  for (const piece of Object.values(hostile)) {
    const body = JSON.stringify({
      model: 'claude-sonnet-5',
      messages: [{ role: 'user', content: piece.repeat(MEGABYTE / Buffer.byteLength(piece)) }],
    });
    for (let round = 0; round < (LONG ? 5 : 1); round += 1) {
      const startedAt = performance.now();
      const answer = await call(`http://127.0.0.1:${port}/v1/messages/count_tokens`, { ...message(''), body });
      times.push(performance.now() - startedAt);
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.text).input_tokens).toBeGreaterThan(100);
    }
  }
  const gaps = extraGapsOf((await streaming).arrivals);
  connection.close();
  if (!LONG) return;
  console.info(
    `L9: 1 MB counted within at most ${inMs(Math.max(...times))}; longest extra pause of a stream ${inMs(Math.max(...gaps))}`,
  );
  expect(Math.max(...times)).toBeLessThanOrEqual(250);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(50);
});
