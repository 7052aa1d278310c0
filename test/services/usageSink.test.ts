import * as sqlite from 'node:sqlite';
import { createSecureContext } from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { mergeUsage, readUsage } from '../../src/cli/usage/read.ts';
import { describePostgres, postgresAddress } from '../../src/config/parsers.ts';
import { localDay } from '../../src/core/clock.ts';
import { readSharedUsage } from '../../src/sink/sharedUsage.ts';
import { UsageSink } from '../../src/sink/usageSink.ts';
import { UsageFile } from '../../src/telemetry/usage/file.ts';
import {
  type ClientSum,
  FIRST_DAY,
  firstOfMonth,
  LAST_DAY,
  type UsageRow,
  usageGroupings,
} from '../../src/telemetry/usage/totals.ts';
import { createAuthority, createCertificate } from '../helpers/certificate.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';
import { sampleRow } from '../helpers/usageRow.ts';
import { waitUntil } from '../helpers/waitUntil.ts';
import { type PostgresServer, postgresPrograms, startPostgres } from './postgresServer.ts';

const ALL = { first: FIRST_DAY, last: LAST_DAY };
const authority = createAuthority('test');

function addressOf(url: string) {
  const address = postgresAddress.parse(url);
  if (address === undefined) throw new Error(`no address: ${url}`);
  return address;
}

describe.skipIf(postgresPrograms === undefined)('a PostgreSQL server (Debian’s package postgresql)', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await startPostgres(createCertificate('localhost', undefined, authority));
  });
  afterAll(() => server.close());

  /** An empty usage file of an instance, and what sends it. */
  function createStage(instance: string, { url = server.url, retentionDays = 0, trust = undefined as never } = {}) {
    const { path: folder, remove } = temporaryFolder();
    const path = `${folder}/${instance}.usage.sqlite`;
    const said: string[] = [];
    /** What was read of clients; only where something has limits. */
    const taken: (readonly ClientSum[])[] = [];
    const limits = { tokens: false, cost: false, asked: 0 };
    let flush = () => {};
    const clients = {
      limits: () => {
        limits.asked += 1;
        return limits;
      },
      flush: () => flush(),
      take: (_: string, sums: readonly ClientSum[]) => taken.push(sums),
    };
    const file = new UsageFile(sqlite, path);
    const logger = { info: (words: string) => said.push(words), warn: (words: string) => said.push(words) };
    const clock = { now: () => Date.now(), monotonic: () => performance.now() };
    const address = addressOf(url);
    const open = () => {
      const sink = new UsageSink({
        address,
        server: describePostgres(address),
        trust,
        path,
        instance,
        retentionDays,
        clock,
        logger,
        clients,
      });
      onTestFinished(() => sink.close());
      return sink;
    };
    onTestFinished(() => {
      file.close();
      remove();
    });
    const send = async (sink = open()) => {
      await sink.start();
      await sink.close();
      return sink.status();
    };
    const onFlush = (write: () => void) => {
      flush = write;
    };
    return { path, file, open, send, said, taken, limits, onFlush };
  }

  const rows = (count: number, fields: (index: number) => Partial<UsageRow> = () => ({})) =>
    Array.from({ length: count }, (_, index) => sampleRow({ id: `req_${index}`, ...fields(index) }));
  const countOf = (instance: string) =>
    Number(server.query(`SELECT count(*) FROM claude_code_proxy.requests WHERE instance = '${instance}'`));
  const read = (instance: string, by: (typeof usageGroupings)[number]) =>
    readSharedUsage({ address: addressOf(server.url), trust: undefined, by, range: ALL, instances: [instance] });

  test('what the file had before comes first, then what is added, and a second start sends nothing twice', async () => {
    const { file, open, send } = createStage('first');
    file.write(rows(1234));
    expect(await send()).toMatchObject({ written: 1234, dropped: 0, waiting: 0, healthy: true });
    file.write(rows(3));
    expect(await send(open())).toMatchObject({ written: 3, dropped: 0 });
    expect(countOf('first')).toBe(1237);
  });

  test('the sums are those of the file by everything that there is to sum up by', async () => {
    const { path, file, send } = createStage('summed');
    file.write(
      rows(700, (index) => ({
        day: `2026-11-${String((index % 28) + 1).padStart(2, '0')}`,
        used_model: [null, 'model-a', 'model "b", ö'][index % 3] ?? null,
        provider: index % 2 === 0 ? 'demo' : 'other',
        session: index % 7 === 0 ? null : `session-${index % 11}`,
        session_id: index % 11 === 3 ? '00000000-0000-4000-8000-000000000003' : null,
        project: index % 5 === 0 ? `folder-${index % 11}` : null,
        intent: index % 4 === 0 ? null : 'chat',
        client: index % 3 === 0 ? 'ada' : null,
        endpoint: ['/v1/messages', 'health_check', 'side:vision', '/v1/messages'][index % 4] ?? '',
        outcome: index % 9 === 0 ? 'error' : 'ok',
        cost: index % 6 === 0 ? null : 0.25,
        input_tokens: index % 8 === 0 ? null : index,
        searches: index % 10 === 0 ? 2 : null,
        search_cost: index % 10 === 0 ? 0.5 : null,
        time: Date.UTC(2026, 10, 1) + index,
      })),
    );
    expect((await send()).written).toBe(700);
    for (const by of usageGroupings) {
      const lines = mergeUsage([...(await read('summed', by))], by);
      const ofFile = mergeUsage([{ name: 'summed', ...readUsage(path, by, ALL) }], by);
      expect(
        lines.toSorted((a, b) => (a.group < b.group ? -1 : 1)),
        by,
      ).toEqual(ofFile.toSorted((a, b) => (a.group < b.group ? -1 : 1)));
    }
  });

  test('several processes of an instance send one file, and no row is there twice', async () => {
    const { file, open } = createStage('shared');
    file.write(rows(5000));
    const sinks = [open(), open(), open()];
    await Promise.all(sinks.map((sink) => sink.start()));
    await waitUntil('all is there', async () => countOf('shared') === 5000);
    await Promise.all(sinks.map((sink) => sink.close()));
    expect(sinks.map((sink) => sink.status().dropped)).toEqual([0, 0, 0]);
    expect(sinks.reduce((sum, sink) => sum + sink.status().written, 0)).toBe(5000);
    const [usage] = await read('shared', 'instance');
    expect(usage?.sums[0]?.requests).toBe(5000);
  });

  test('a row that the database refuses is left out and counted, and its neighbours are there', async () => {
    const { file, send, said } = createStage('refused');
    file.write(rows(20, (index) => (index === 7 ? { status: 3e9 } : { asked_model: 'a\0b\ud800' })));
    expect(await send()).toMatchObject({ written: 19, dropped: 1, waiting: 0, healthy: true });
    expect(countOf('refused')).toBe(19);
    expect(said).toEqual(['the usage database refuses a row']);
  });

  test('rows that the file has lost before they were sent are counted', async () => {
    const { file, open, send } = createStage('lost');
    file.write(rows(10));
    await send();
    file.write(rows(5, () => ({ day: '2020-01-01' })));
    file.write(rows(5));
    file.removeBefore('2021-01-01');
    expect(await send(open())).toMatchObject({ written: 5, dropped: 5 });
  });

  test('a file that was emptied counts from 1 again, as another file', async () => {
    const { file, open, send } = createStage('emptied');
    file.write(rows(4, () => ({ day: '2020-01-01' })));
    await send();
    file.removeBefore('2021-01-01');
    file.write(rows(3));
    expect(await send(open())).toMatchObject({ written: 3, dropped: 0 });
    expect(countOf('emptied')).toBe(7);
  });

  test('rows and sums that are too old are removed', async () => {
    const { file, open } = createStage('old', { retentionDays: 30 });
    const today = new Date().toISOString().slice(0, 10);
    file.write(rows(6, (index) => ({ day: index < 4 ? '2020-01-01' : today })));
    const sink = open();
    await sink.start();
    await waitUntil('the old rows are gone', async () => countOf('old') === 2);
    await waitUntil('their sums are gone', async () => {
      const [usage] = await read('old', 'day');
      return usage?.sums.length === 1;
    });
  });

  test('a server that has hung and comes back gets the rest', { timeout: 60_000 }, async () => {
    const { file, open } = createStage('hung');
    file.write(rows(10));
    const sink = open();
    await sink.start();
    await waitUntil('the first are there', async () => sink.status().written === 10);
    server.signal('SIGSTOP');
    try {
      file.write(rows(10));
      sink.notify();
      await waitUntil('it is noticed', async () => !sink.status().healthy);
      expect(sink.status().lastError).toContain('has not answered within');
    } finally {
      server.signal('SIGCONT');
    }
    await waitUntil('the rest is there', async () => countOf('hung') === 20);
    expect(sink.status().dropped).toBe(0);
  });

  test('by TLS the certificate is checked, unless the address says otherwise', async () => {
    const named = (mode: string) => `${server.url.replace('127.0.0.1', 'localhost')}?sslmode=${mode}`;
    const trust = createSecureContext({ ca: [authority.cert] }) as never;
    const trusted = createStage('trusted', { url: named('verify-full'), trust });
    trusted.file.write(rows(1));
    expect(await trusted.send()).toMatchObject({ written: 1, healthy: true });
    const unknown = createStage('unknown', { url: named('verify-full') });
    unknown.file.write(rows(1));
    expect(await unknown.send()).toMatchObject({ written: 0, waiting: 0, healthy: false });
    const unchecked = createStage('unchecked', { url: named('require') });
    unchecked.file.write(rows(1));
    expect(await unchecked.send()).toMatchObject({ written: 1, healthy: true });
  });

  test('what clients have used in all instances is read with what is not sent yet, each row once', async () => {
    const today = localDay(Date.now());
    const used = (client: string, fields: Partial<UsageRow> = {}) =>
      sampleRow({
        client,
        day: today,
        input_tokens: 10,
        output_tokens: 1,
        cache_read_tokens: 0,
        cache_write_tokens: 0,
        cost: 0.5,
        ...fields,
      });
    const there = createStage('there');
    there.file.write([
      used('grace'),
      used('grace', { search_cost: 0.25 }),
      used('grace', { day: '2020-01-01' }),
      used('linus'),
    ]);
    await there.send();
    const here = createStage('here');
    Object.assign(here.limits, { tokens: true, cost: true });
    here.file.write([used('grace')]);
    // Written while the database answers: sent later, and already counted.
    here.onFlush(() => {
      here.file.write([used('grace', { day: firstOfMonth(today) })]);
      here.onFlush(() => {});
    });
    const sink = here.open();
    await sink.start();
    await waitUntil('it is read', async () => here.taken.length > 0);
    const sumOf = (client: string) => {
      const sums = (here.taken[0] ?? []).filter((sum) => sum.client === client);
      const add = (what: 'tokens' | 'cost') => sums.reduce((total, sum) => total + sum[what], 0);
      return [add('tokens'), add('cost')];
    };
    const isFirst = today === firstOfMonth(today);
    expect(sumOf('grace')).toEqual([isFirst ? 44 : 33, 2.25]);
    expect(sumOf('linus')).toEqual([11, 0.5]);
    expect(here.said).toEqual([]);
  });

  test('nothing is read where no client has a limit of tokens or cost', async () => {
    const { open, file, taken, limits } = createStage('unlimited');
    file.write(rows(1));
    const sink = open();
    await sink.start();
    await waitUntil('it is sent, and looked at again', async () => sink.status().written === 1 && limits.asked > 1);
    await read('unlimited', 'instance'); // takes longer than the reading of clients
    expect(taken).toEqual([]);
  });

  test('a wrong password is an outage that names no password', async () => {
    const { file, send, said } = createStage('stranger', { url: server.url.replace('admin:', 'admin:x') });
    file.write(rows(1));
    const { healthy, lastError, server: shown } = await send();
    expect({ healthy, lastError, shown }).toEqual({
      healthy: false,
      lastError: 'password authentication failed for user "admin"',
      shown: `usage at 127.0.0.1:${server.port}, without TLS`,
    });
    expect(said).toEqual(['usage cannot be sent to the database for now; the file keeps it, and requests go on']);
  });
});
