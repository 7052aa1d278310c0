import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { smallBody } from '../bodies/smallBody.ts';
import { checkMessage, checkStream } from '../load/checkAnswer.ts';
import { Connection } from '../load/connection.ts';
import { RequestTemplate } from '../load/requestTemplate.ts';
import { ManagedHome } from '../processes/managedHome.ts';
import { cpuSeconds, residentMib } from '../processes/sessionFacts.ts';
import { bytesFor, type Subject } from '../processes/subject.ts';
import type { Target } from '../processes/target.ts';
import { slopeOf } from '../report/statistics.ts';
import { measureLoop } from './measureLoop.ts';
import type { Metric, Sample, Scenario } from './scenario.ts';

type Sizes = readonly [number, ...number[], number];

/** A column for each size, and the slope. */
function sizedMetrics(key: string, title: string, sizes: Sizes, unit: string, digits: number): Metric[] {
  return [
    ...sizes.map((size, index) => ({
      key: `${key}${size}`,
      title: index === 0 ? `${title}: ${size.toLocaleString('en-US')} ${unit}` : size.toLocaleString('en-US'),
      digits,
    })),
    { key: `${key}Slope`, title: 'slope', digits: 2 },
  ];
}

/** The figures of each size under their keys, and their slope. */
function sizedSample(key: string, sizes: Sizes, figures: readonly (number | undefined)[]): Sample {
  const entries = sizes.map((size, index) => [`${key}${size}`, figures[index]] as const);
  return { ...Object.fromEntries(entries), [`${key}Slope`]: slopeOf(sizes, figures) };
}

const STREAMS: Sizes = [10, 100, 1000];
/** Deltas each second, over all streams: more streams are slower ones, so that only their number differs. */
const RATE = 2000;
const BEGIN_MS = 1500;
const WINDOW_MS = 3000;

async function runOpenStreams({ target, port, session = 0 }: Subject, streams: number) {
  const everyMs = (streams * 1000) / RATE;
  const order = { deltas: Math.ceil((2 * BEGIN_MS + WINDOW_MS) / everyMs), everyMs };
  const connections = await Promise.all(Array.from({ length: streams }, () => Connection.open(port)));
  const ask = async (connection: Connection, index: number) => {
    await sleep((index * BEGIN_MS) / 2 / streams);
    const template = new RequestTemplate(bytesFor(target, smallBody(order, true)));
    checkStream(await connection.ask(template.next(index)), { deltas: order.deltas, promptTokens: 1 });
  };
  try {
    const all = Promise.all(connections.map(ask));
    await sleep(BEGIN_MS);
    const before = cpuSeconds(session);
    await sleep(WINDOW_MS);
    const used = cpuSeconds(session) - before;
    const memory = residentMib(session);
    await all;
    return { micros: (used * 1e6) / ((RATE * WINDOW_MS) / 1000), memory };
  } finally {
    for (const connection of connections) connection.close();
  }
}

const ONCE = { quick: { rounds: 1, seconds: 0.7 }, long: { rounds: 1, seconds: 3 }, needsProcess: true } as const;

const openStreams: Scenario = {
  ...ONCE,
  name: 'S16',
  about: `the cost of a delta, at ${RATE.toLocaleString('en-US')} deltas a second over all streams, with more and more streams open`,
  metrics: [
    ...sizedMetrics('cpu', 'CPU µs per delta', STREAMS, 'streams', 0),
    ...sizedMetrics('memory', 'RSS MiB', STREAMS, 'streams', 0),
  ],
  measure: async (stage, target) => {
    const subject = await stage.start(target);
    try {
      const figures = [];
      for (const streams of STREAMS) figures.push(await runOpenStreams(subject, streams));
      return {
        ...sizedSample(
          'cpu',
          STREAMS,
          figures.map(({ micros }) => micros),
        ),
        ...sizedSample(
          'memory',
          STREAMS,
          figures.map(({ memory }) => memory),
        ),
      };
    } finally {
      await subject.stop();
    }
  },
};

const PROVIDERS: Sizes = [1, 10, 50];
const KEYS: Sizes = [1, 100];

/** The target with so many providers, each of which gets its share, and so many keys for each. */
function withProviders(target: Target, providers: number, keys: number): Target {
  const list = Array.from({ length: providers }, (_, index) => ({
    name: `bench-${index}`,
    base_url: '${UPSTREAM}/v1',
    api_keys: Array.from({ length: keys }, (_unused, key) => `bench-${index}-${key}`),
    models: { big: 'bench', small: 'bench' },
  }));
  const lines = [
    'PORT=${PORT}',
    'LOG_DIR=${WORK}/logs',
    'STATE_DIR=${WORK}/state',
    'PROVIDERS_FILE=${WORK}/providers.json',
  ];
  return {
    ...target,
    files: {
      '${WORK}/bench.env': `${lines.join('\n')}\n`,
      '${WORK}/providers.json': JSON.stringify({ providers: list, fallback_strategy: 'round_robin' }),
    },
  };
}

const manyProviders: Scenario = {
  ...ONCE,
  name: 'S17',
  about: 'the cost of a small request, 32 at a time, with more and more providers and keys',
  metrics: [
    ...sizedMetrics('providers', 'CPU ms per request', PROVIDERS, 'provider', 3),
    ...sizedMetrics('keys', 'CPU ms per request', KEYS, 'key', 3),
  ],
  measure: async (stage, target, seconds) => {
    const order = { deltas: 20, everyMs: 0 };
    const measureOne = async (providers: number, keys: number) => {
      const subject = await stage.start(withProviders(target, providers, keys));
      const options = {
        request: bytesFor(target, smallBody(order, false)),
        connections: 32,
        check: (reply: Parameters<typeof checkMessage>[0]) =>
          checkMessage(reply, { deltas: order.deltas, promptTokens: 1 }),
      };
      try {
        await measureLoop(subject, { ...options, seconds: 1 });
        return (await measureLoop(subject, { ...options, seconds: Math.max(seconds, 2) }))['cpuMs'];
      } finally {
        await subject.stop();
      }
    };
    const byProviders = [];
    for (const providers of PROVIDERS) byProviders.push(await measureOne(providers, 1));
    const byKeys = [];
    for (const keys of KEYS) byKeys.push(await measureOne(1, keys));
    return { ...sizedSample('providers', PROVIDERS, byProviders), ...sizedSample('keys', KEYS, byKeys) };
  },
};

const ROWS: Sizes = [100, 10_000, 1_000_000];
const DAYS = 390;

/** Copies the rows that are there until there are so many, over the days that are kept. */
async function fillUsage(path: string, rows: number): Promise<void> {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(path);
  const columns = database
    .prepare('PRAGMA table_info(requests)')
    .all()
    .map(({ name }) => String(name));
  const values = columns.map((name) => {
    if (name === 'day') return `date('now', '-' || (number % ${DAYS}) || ' days')`;
    if (name === 'time') return `time - (number % ${DAYS}) * 86400000`;
    return name === 'id' ? "'req_' || number" : name;
  });
  const present = Number(database.prepare('SELECT count(*) AS rows FROM requests').get()?.['rows']);
  database.exec(`WITH RECURSIVE numbers(number) AS (SELECT ${present} UNION ALL SELECT number + 1 FROM numbers WHERE number < ${rows - 1})
    INSERT INTO requests (${columns.join(', ')}) SELECT ${values.join(', ')} FROM numbers, (SELECT * FROM requests LIMIT 1)`);
  database.close();
}

function binaryOf({ name, command: [binary] = [] }: Target): string {
  if (binary === undefined) throw new Error(`${name} has no executable`);
  return binary;
}

async function withHome(target: Target, use: (home: ManagedHome) => Promise<Sample>): Promise<Sample> {
  const home = new ManagedHome(binaryOf(target));
  try {
    return await use(home);
  } finally {
    home.dispose();
  }
}

const manyRows: Scenario = {
  ...ONCE,
  name: 'S18',
  about: `what an instance has used, with more and more rows in its file, over ${DAYS} days (medians of five)`,
  metrics: [
    ...sizedMetrics('month', '`usage` ms', ROWS, 'rows', 0),
    ...sizedMetrics('year', '`usage --by model`, all days, ms', ROWS, 'rows', 0),
    ...sizedMetrics('page', 'page, 30 days, ms', ROWS, 'rows', 0),
    ...sizedMetrics('start', '`restart` ms', ROWS, 'rows', 0),
  ],
  measure: (_stage, target) =>
    withHome(target, async (home) => {
      await home.addInstances(1);
      await home.manage('start', 'all');
      await home.manage('test', 'demo-0');
      // A row is written within a second.
      await sleep(1500);
      const [month, year, page, restart]: (number | undefined)[][] = [[], [], [], []];
      for (const rows of ROWS) {
        await fillUsage(join(home.root, 'state/demo-0.usage.sqlite'), rows);
        month?.push(await home.time('usage'));
        year?.push(await home.time('usage', '--by', 'model', '--days', String(DAYS)));
        page?.push(await home.withPage(({ time }) => time('/api/usage?range=30')));
        restart?.push(await home.time('restart', 'demo-0'));
      }
      return {
        ...sizedSample('month', ROWS, month ?? []),
        ...sizedSample('year', ROWS, year ?? []),
        ...sizedSample('page', ROWS, page ?? []),
        ...sizedSample('start', ROWS, restart ?? []),
      };
    }),
};

const INSTANCES: Sizes = [1, 20, 100];

const manyInstances: Scenario = {
  ...ONCE,
  name: 'S19',
  about: 'the manager with more and more instances that serve (medians of five)',
  metrics: [
    ...sizedMetrics('status', '`status` ms', INSTANCES, 'instance', 0),
    ...sizedMetrics('top', '`top --once` ms', INSTANCES, 'instance', 0),
    ...sizedMetrics('page', 'page, what runs, ms', INSTANCES, 'instance', 0),
  ],
  measure: (_stage, target) =>
    withHome(target, async (home) => {
      const [status, top, page]: (number | undefined)[][] = [[], [], []];
      for (const instances of INSTANCES) {
        await home.addInstances(instances);
        await home.manage('start', 'all');
        status?.push(await home.time('status'));
        top?.push(await home.time('top', '--once'));
        page?.push(await home.withPage(({ time }) => time('/api/now')));
      }
      return {
        ...sizedSample('status', INSTANCES, status ?? []),
        ...sizedSample('top', INSTANCES, top ?? []),
        ...sizedSample('page', INSTANCES, page ?? []),
      };
    }),
};

export const scale: readonly Scenario[] = [openStreams, manyProviders, manyRows, manyInstances];
