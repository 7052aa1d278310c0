import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { NowAnswer } from '../../../../src/cli/ui/contract.ts';
import { LiveEventSender, RequestFeed } from '../../../../src/cli/ui/liveEvents.ts';
import type { RequestRow } from '../../../../src/cli/ui/records.ts';
import { requestLine } from '../../../helpers/largeHistory.ts';
import { nowAnswer } from '../../../helpers/pageAnswers.ts';
import { temporaryFolder } from '../../../helpers/temporaryFolder.ts';
import { waitUntil } from '../../../helpers/waitUntil.ts';

const NOW = Date.now();

/** The log of an instance, into which lines are written as the instance does. */
function startLog(lines: number) {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  const folder = join(path, 'demo');
  const file = join(folder, 'demo.log');
  let count = 0;
  const write = (number: number) => {
    const lines = Array.from({ length: number }, (_, index) => {
      const place = count + index + 1;
      return `${requestLine('demo', place, NOW + place)}\n`;
    });
    count += number;
    appendFileSync(file, lines.join(''));
  };
  mkdirSync(folder);
  write(lines);
  const feed = new RequestFeed(
    () => new Map([[folder, 'demo']]),
    () => false,
    0,
  );
  onTestFinished(() => feed.close());
  const rotate = () => {
    renameSync(file, join(folder, 'demo-20261120-090000-001.log'));
    writeFileSync(file, '');
  };
  const removeRotated = () => rmSync(join(folder, 'demo-20261120-090000-001.log'));
  return { feed, write, rotate, removeRotated };
}

/** An answer to a page, with what it was sent; `behind` is how much of it the page has not read. */
function openPage() {
  let close = () => {};
  const page = { text: '', behind: 0, close: () => close() };
  const response = {
    write: (text: string) => {
      page.text += text;
    },
    on: (_event: string, listener: () => void) => {
      close = listener;
    },
    end: () => {},
    get writableLength() {
      return page.behind;
    },
  } as unknown as ServerResponse;
  return { page, response };
}

const idsOf = (text: string) =>
  [...text.matchAll(/^event: requests\ndata: (.*)$/gm)].flatMap(([, data = '']) =>
    (JSON.parse(data).requests as RequestRow[]).map(({ id }) => Number.parseInt(id.slice(4), 16)),
  );
const lastId = (text: string) => [...text.matchAll(/^id: (\S+)$/gm)].at(-1)?.[1];
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

function startSender(lines: number, snapshot: () => Promise<NowAnswer> = async () => nowAnswer) {
  const log = startLog(lines);
  const sender = new LiveEventSender(log.feed, snapshot);
  onTestFinished(() => sender.close());
  return { ...log, sender };
}

test('each row comes once, whoever has read it before, and across a rotation', async () => {
  const { feed, sender, write, rotate } = startSender(10);
  const { page, response } = openPage();
  sender.add(response, undefined);
  await waitUntil('the beginning', async () => (await feed.read()).state().records === 10);
  write(3);
  await feed.catchUp(); // as a request for the list does
  write(2);
  rotate();
  write(4);
  await waitUntil('all rows', async () => idsOf(page.text).length >= 9);
  expect(idsOf(page.text)).toEqual(range(11, 19));
  expect((await feed.read()).state()).toMatchObject({ records: 19, is_complete: true });
});

test('the rows of a log file that was deleted are gone, and no others', async () => {
  const { feed, write, rotate, removeRotated } = startLog(10);
  await feed.read();
  await feed.whenRead;
  rotate();
  write(4);
  const idsIn = async () => (await feed.read()).find({}).requests.map(({ id }) => Number.parseInt(id.slice(4), 16));
  expect(await idsIn()).toEqual(range(1, 14).reverse());
  removeRotated();
  expect(await idsIn()).toEqual(range(11, 14).reverse());
  expect((await feed.read()).state()).toMatchObject({ records: 4, is_complete: true });
});

const keptIn = (text: string) =>
  [...text.matchAll(/^event: kept\ndata: (.*)$/gm)].map(([, data = '']) => JSON.parse(data).oldest);

test('a page learns when log files were deleted, also one that was away', async () => {
  const { sender, write, rotate, removeRotated } = startSender(10);
  const { page, response } = openPage();
  sender.add(response, undefined);
  await waitUntil('when the logs begin', async () => keptIn(page.text).length === 1);
  expect(keptIn(page.text)).toEqual([{ demo: new Date(NOW + 1).toISOString() }]);
  rotate();
  write(4);
  await waitUntil('the rows', async () => idsOf(page.text).length === 4);
  removeRotated();
  const kept = { demo: new Date(NOW + 11).toISOString() };
  await waitUntil('the new begin', async () => keptIn(page.text).length === 2);
  expect(keptIn(page.text)[1]).toEqual(kept);
  const back = openPage();
  sender.add(back.response, lastId(page.text));
  await waitUntil('the begin for who was away', async () => keptIn(back.page.text).length === 1);
  expect(keptIn(back.page.text)).toEqual([kept]);
});

test('the instances are shown before the logs have been read', async () => {
  const { feed, sender } = startSender(10);
  const reading = Promise.withResolvers<never[]>();
  vi.spyOn(feed, 'catchUp').mockReturnValue(reading.promise);
  const { page, response } = openPage();
  sender.add(response, undefined);
  await waitUntil('a snapshot', async () => page.text.includes('event: now'));
  reading.resolve([]);
});

test('what a page has missed comes when it is back; more than is kept is said to be lost', async () => {
  const { feed, sender, write } = startSender(1);
  const first = openPage();
  sender.add(first.response, undefined);
  await waitUntil('the beginning', async () => (await feed.read()).state().is_complete);
  write(2);
  await waitUntil('two rows', async () => idsOf(first.page.text).length === 2);
  write(700);
  await waitUntil('700 rows', async () => idsOf(first.page.text).length === 702);
  const id = /^id: (\S+)$/m.exec(first.page.text.slice(first.page.text.indexOf('"requests":[{')))?.[1];
  expect(id).toBeDefined();
  const second = openPage();
  const afterTwo = `${id?.split('-')[0]}-2`;
  sender.add(second.response, afterTwo);
  expect(idsOf(second.page.text)).toEqual(range(4, 703));
  expect(lastId(second.page.text)).toBe(lastId(first.page.text));
  write(2000);
  await waitUntil('2000 more', async () => idsOf(first.page.text).length === 2702);
  const third = openPage();
  sender.add(third.response, afterTwo);
  expect(third.page.text).toBe(`id: ${lastId(first.page.text)}\nevent: lost\ndata: {"count":2700}\n\n`);
});

test('a page that does not read gets no more rows, and then how many it has lost', async () => {
  const { feed, sender, write } = startSender(0);
  const slow = openPage();
  const quick = openPage();
  for (const { response } of [slow, quick]) sender.add(response, undefined);
  await waitUntil('the beginning', async () => (await feed.read()).state().is_complete);
  slow.page.behind = 2_000_000;
  write(5);
  await waitUntil('five rows', async () => idsOf(quick.page.text).length === 5);
  slow.page.behind = 0;
  write(1);
  await waitUntil('the sixth row', async () => idsOf(slow.page.text).length === 1);
  expect(slow.page.text).toContain('event: lost\ndata: {"count":5}');
  expect(idsOf(slow.page.text)).toEqual([6]);
});

test('without an open page no instance is asked and no log is read', async () => {
  const snapshot = vi.fn(async () => nowAnswer);
  const { feed, sender, write } = startSender(0, snapshot);
  expect(snapshot).not.toHaveBeenCalled();
  const { page, response } = openPage();
  sender.add(response, undefined);
  await waitUntil('a snapshot', async () => page.text.includes('event: now'));
  page.close();
  await pause(600); // two rounds
  const asked = snapshot.mock.calls.length;
  const read = vi.spyOn(feed, 'catchUp');
  write(1);
  await pause(1200);
  expect([snapshot.mock.calls.length, read.mock.calls.length]).toEqual([asked, 0]);
});

test('a snapshot that takes long is asked for more rarely: it takes a fifth of the time at most', async () => {
  const snapshot = vi.fn(async () => {
    await pause(400);
    return nowAnswer;
  });
  const { sender } = startSender(0, snapshot);
  sender.add(openPage().response, undefined);
  const startedAt = performance.now();
  await waitUntil('two snapshots', async () => snapshot.mock.calls.length === 2);
  expect(performance.now() - startedAt).toBeGreaterThan(2000);
});
