import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { loadInstances } from '../../src/cli/supervisor/instances.ts';
import { UsageAnswers, type UsageQueryValues } from '../../src/cli/ui/usageAnswers.ts';
import { mergeUsage, readUsage } from '../../src/cli/usage/read.ts';
import { postgresAddress } from '../../src/config/parsers.ts';
import { readSharedUsage } from '../../src/sink/sharedUsage.ts';
import { FIRST_DAY, LAST_DAY, usageGroupings } from '../../src/telemetry/usage/totals.ts';
import { createProject, type TemporaryProject } from '../cli/temporaryProject.ts';
import { call, message } from '../helpers/startApp.ts';
import { type Binary, spawnBinary, startBinary } from '../helpers/startBinary.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';
import { waitUntil } from '../helpers/waitUntil.ts';
import { PASSWORD, type PostgresServer, postgresPrograms, startPostgres } from './postgresServer.ts';

const ALL = { first: FIRST_DAY, last: LAST_DAY };

const healthOf = async (binary: Binary) => JSON.parse((await call(`${binary.url}/health`)).text).usage_database;
const usageFileOf = ({ folder }: Binary, name: string) => join(folder, 'state', `${name}.usage.sqlite`);
const ask = async (binary: Binary) => (await call(`${binary.url}/v1/messages`, message('claude-opus-5'))).status;

function countRows(path: string): number {
  const database = new DatabaseSync(path, { readOnly: true });
  const count = Number(database.prepare('SELECT count(*) AS count FROM requests').get()?.['count']);
  database.close();
  return count;
}

describe.skipIf(postgresPrograms === undefined)('instances that share a database (Debian’s package postgresql)', () => {
  let server: PostgresServer;
  let project: TemporaryProject;

  beforeAll(async () => {
    server = await startPostgres();
    project = await createProject({ binary: resolve(import.meta.dirname, '..', '..', 'dist', 'claude-code-proxy') });
  });
  afterAll(async () => {
    await project.dispose();
    await server.close();
  });

  /** What the page answers about the usage of all machines. */
  async function readOnPage(requests: number, names: readonly string[]): Promise<void> {
    const all = loadInstances(project.root);
    const answers = new UsageAnswers(project.root, {}, () => all);
    onTestFinished(() => answers.close());
    const ask = (query: UsageQueryValues) => answers.usage(all, { by: 'instance', ...query }, Date.now());
    const own = await ask({});
    expect([own.machines, own.has_database, own.total.requests]).toEqual(['this', true, 0]);
    const shared = await ask({ machines: 'all', compare: '1' });
    expect([shared.machines, shared.total.requests, shared.before?.total.requests]).toEqual(['all', requests, 0]);
    expect([...shared.lines].map(({ group }) => group)).toEqual(names);
    const bars = shared.series.groups.flatMap((group) => group.requests);
    expect(bars.reduce((sum, count) => sum + count, 0)).toBe(requests);
    expect((await ask({ machines: 'all', instance: 'elsewhere' })).total.requests).toBe(0);
    const csv = await answers.csv(all, { by: 'instance', machines: 'all' }, Date.now());
    expect(csv.trim().split('\n')).toHaveLength(names.length + 1);
  }

  async function start(name: string, settings: Readonly<Record<string, string>> = {}): Promise<Binary> {
    const binary = await startBinary({ PROVIDER: 'demo', USAGE_POSTGRES_URL: server.url, ...settings }, name);
    onTestFinished(() => binary.stop());
    return binary;
  }

  test('the server dies under load and comes back: no request fails, no row is lost, and all sums are those of the files', async () => {
    const names = ['one', 'two'];
    const binaries = await Promise.all(names.map((name) => start(name)));
    const statuses: number[] = [];
    const load = async (seconds: number) => {
      const end = performance.now() + seconds * 1000;
      const askOn = async (binary: Binary) => {
        while (performance.now() < end) statuses.push(await ask(binary));
      };
      await Promise.all([...binaries, ...binaries].map(askOn));
    };
    const loaded = load(6);
    await waitUntil('rows arrive', async () => (await healthOf(binaries[0] as Binary)).written > 0);
    await server.kill();
    await waitUntil('the outage is noticed', async () => {
      const health = await Promise.all(binaries.map(healthOf));
      return health.every(({ healthy, last_error }) => healthy === false && typeof last_error === 'string');
    });
    await loaded;
    expect((await healthOf(binaries[0] as Binary)).waiting).toBeGreaterThan(0);
    await server.start();
    const total = () =>
      names.reduce((sum, name, index) => sum + countRows(usageFileOf(binaries[index] as Binary, name)), 0);
    const arrived = () => Number(server.query('SELECT count(*) FROM claude_code_proxy.requests'));
    await waitUntil('all rows are there', async () => total() === statuses.length && arrived() === statuses.length);
    expect(new Set(statuses)).toEqual(new Set([200]));
    for (const binary of binaries) {
      await waitUntil('it knows that all is there', async () => (await healthOf(binary)).healthy);
      expect(await healthOf(binary)).toMatchObject({ dropped: 0, waiting: 0 });
      const { text } = await call(`${binary.url}/metrics`);
      expect(text).toContain('claude_code_proxy_usage_database_rows_dropped_total 0');
    }
    const address = postgresAddress.parse(server.url);
    if (address === undefined) throw new Error('no address');
    for (const by of usageGroupings) {
      const shared = await readSharedUsage({ address, trust: undefined, by, range: ALL, instances: [] });
      const files = binaries.map((binary, index) => {
        const name = names[index] ?? '';
        return { name, ...readUsage(usageFileOf(binary, name), by, ALL) };
      });
      expect(mergeUsage([...shared], by), by).toEqual(mergeUsage(files, by));
    }

    // The manager of another machine, which has no instance of these names.
    await project.addInstance('elsewhere', [`USAGE_POSTGRES_URL=${server.url}`]);
    const { code, stdout } = await project.manage(['usage', '--postgres', '--by', 'instance', '--json']);
    expect(code).toBe(0);
    const usage = JSON.parse(stdout);
    expect(usage.total.requests).toBe(statuses.length);
    expect(usage.rows.map(({ instance }: { instance: string }) => instance)).toEqual(names);
    const top = JSON.parse((await project.manage(['top', '--postgres', '--json'])).stdout);
    expect(top.machines).toBe('all');
    expect(top.instances.map(({ name }: { name: string }) => name)).toEqual(['elsewhere', ...names.toSorted()]);
    expect(top.total.today.requests).toBe(statuses.length);
    const shown = await project.manage(['top', '--postgres']);
    expect(shown.stderr + shown.stdout).toContain('today: all machines (database); the rest: this machine');
    await readOnPage(statuses.length, names);
    const two = await project.manage(['usage', 'two', '--postgres', '--by', 'model', '--csv']);
    expect(two.stdout.trim().split('\n')).toHaveLength(2);
  });

  test('two instances grant a client one limit, which holds while the database is away', async () => {
    const { path: folder, remove } = temporaryFolder();
    onTestFinished(remove);
    const token = 'ccp-alice-0123456789abcdef';
    const sha256 = createHash('sha256').update(token).digest('hex');
    const file = join(folder, 'clients.json');
    const limit = 20_000;
    writeFileSync(file, JSON.stringify({ replicas: 2, clients: [{ name: 'alice', sha256, tokens_per_day: limit }] }));
    const settings = { CLIENT_TOKENS_FILE: file, ANTHROPIC_API_KEY: 'token-of-the-owner-0123456789' };
    const binaries = await Promise.all(['left', 'right'].map((name) => start(name, settings)));
    const [left, right] = binaries as [Binary, Binary];
    const text = 'a few words '.repeat(1000);
    const askAs = (binary: Binary, content = text, by = token) =>
      call(`${binary.url}/v1/messages`, {
        ...message('claude-opus-5', { max_tokens: 100, messages: [{ role: 'user', content }] }),
        headers: { 'content-type': 'application/json', authorization: `Bearer ${by}` },
      });
    const used = () =>
      Number(
        server.query("SELECT coalesce(sum(input + output), 0) FROM claude_code_proxy.days WHERE client = 'alice'"),
      );
    const wholeLimit = /alice has used the 20,000 tokens of this day that its token allows; again in/;
    let refused = await askAs(left);
    expect(refused.status).toBe(200);
    // The first figures are read within half a second, so that the share does not hold for long.
    await waitUntil('the whole limit is used up', async () => {
      refused = await askAs(left);
      return wholeLimit.test(refused.text);
    });
    expect(refused.status).toBe(429);
    await waitUntil('its use is known', async () => used() >= limit);
    const byLeft = used();
    await waitUntil('the other instance knows it', async () => wholeLimit.test((await askAs(right, 'hello')).text));
    await waitUntil('all is there', async () => (await healthOf(right)).waiting === 0);
    expect(used() - byLeft).toBeLessThan(limit / 2); // far from its share
    await server.kill();
    try {
      await waitUntil('the outage is noticed', async () => {
        await askAs(right, 'hello', settings.ANTHROPIC_API_KEY);
        return (await healthOf(right)).healthy === false;
      });
      for (const binary of [left, right]) expect((await askAs(binary)).text).toMatch(wholeLimit);
    } finally {
      await server.start();
    }
  });

  test('what is not sent when an instance stops is sent after its next start, and a stop sends what it can', async () => {
    const binary = await start('stopped');
    const rowsOf = () =>
      Number(server.query("SELECT count(*) FROM claude_code_proxy.requests WHERE instance = 'stopped'"));
    await waitUntil('the database is reached', async () => (await healthOf(binary)).healthy);
    for (let request = 0; request < 5; request += 1) await ask(binary);
    binary.process.kill('SIGTERM');
    expect(await binary.exited).toBe(0);
    expect(rowsOf()).toBe(5);
  });

  test('the password stands neither in --check, nor in /health, nor in the log', async () => {
    const checked = await spawnBinary({ PROVIDER: 'demo', USAGE_POSTGRES_URL: server.url }, 'test', ['--check']);
    await checked.exited;
    expect(checked.output()).toMatch(/usage database +usage at 127\.0\.0\.1:\d+, without TLS/);
    const wrong = server.url.replace('/usage', '/nowhere');
    const binary = await start('secret');
    const other = await startBinary({ PROVIDER: 'demo', USAGE_POSTGRES_URL: wrong }, 'wrong');
    onTestFinished(() => other.stop());
    await waitUntil('it fails', async () => {
      await ask(other);
      return (await healthOf(other)).healthy === false;
    });
    const health = (await call(`${other.url}/health`)).text + (await call(`${binary.url}/health`)).text;
    for (const text of [checked.output(), health, binary.output(), other.output()]) {
      expect(text).not.toContain(PASSWORD);
      expect(text).not.toContain(encodeURIComponent(PASSWORD));
    }
    await checked.stop();
  });
});
