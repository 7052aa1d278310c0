import type { Figures, InstanceNow, NowAnswer, SetupAnswer } from '../../src/cli/ui/contract.ts';
import type {
  RequestDetail,
  RequestRow,
  RequestsAnswer,
  SessionLine,
  SessionsAnswer,
  UsageAnswer,
  UsageFigures,
  UsageLine,
} from '../../src/cli/ui/records.ts';
import { nowAnswer, requestsAnswer, setupAnswer } from '../helpers/pageAnswers.ts';

/** Answers of a machine with some instances and a month of work, from fixed data: for pictures, and for tests of single views. */
export const NOW = Date.parse('2026-11-20T15:42:10.000Z');

/** Numbers between 0 and 1 that look like chance and are the same each time. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

const iso = (time: number) => new Date(time).toISOString();

const [demoExample, workExample] = nowAnswer.instances;
if (demoExample === undefined || workExample === undefined) throw new Error('the examples have two instances');

function minutesOf(seed: number, level: number, failures: number) {
  const random = createRandom(seed);
  return Array.from({ length: 60 }, (_, index) => {
    const wave = 0.55 + 0.45 * Math.sin((index + seed) / 7);
    const requests = Math.round(level * wave * (0.6 + 0.8 * random()));
    return {
      at: iso(NOW - (59 - index) * 60_000),
      requests,
      failed_requests: random() < failures ? Math.min(requests, 1 + Math.floor(random() * 3)) : 0,
      output_tokens: Math.round(requests * (240 + 320 * random())),
    };
  });
}

interface InstanceFacts {
  readonly name: string;
  readonly provider: string;
  readonly models: readonly [string, string, string];
  readonly port: number;
  readonly level: number;
  readonly failures: number;
  readonly today: Figures['today'];
  readonly changes?: Partial<InstanceNow>;
  readonly status?: Partial<InstanceNow['status']>;
}

function instanceOf(facts: InstanceFacts, seed: number): InstanceNow {
  const example = demoExample as InstanceNow;
  const { name, provider, port, level, today } = facts;
  const [big, middle, small] = facts.models;
  return {
    ...example,
    name,
    figures: {
      in_flight: Math.round(level / 3),
      waiting: 0,
      recent: {
        requests_per_second: level / 60,
        input_tokens_per_second: level * 410,
        output_tokens_per_second: level * 6.3,
        first_event_ms: level === 0 ? { p50: null, p95: null } : { p50: 380 + seed * 140, p95: 1450 + seed * 610 },
        duration_ms: level === 0 ? { p50: null, p95: null } : { p50: 4200 + seed * 900, p95: 21_000 + seed * 5000 },
      },
      today,
    },
    minutes: minutesOf(seed, level, facts.failures),
    status: {
      ...example.status,
      env_file: `envs/${name}.env`,
      port,
      provider,
      models: { big, middle, small },
      providers: [
        {
          name: provider,
          base_url: `https://api.${provider}.example/v1`,
          circuit: 'closed',
          keys: [{ label: 'key 1', state: 'ready', until: null, reason: null }],
          last_answer_at: iso(NOW - 4000),
        },
      ],
      key: 'env file',
      pid: 4700 + seed,
      started_at: iso(NOW - 93_000_000),
      uptime_seconds: 93_000,
      last_success_at: iso(NOW - 4000),
      ...facts.status,
    },
    ...facts.changes,
  };
}

export const instances: readonly InstanceNow[] = [
  instanceOf(
    {
      name: 'work',
      provider: 'acme',
      models: ['acme-2', 'acme-2', 'acme-2-mini'],
      port: 8080,
      level: 34,
      failures: 0.05,
      today: { requests: 4218, failed_requests: 12, cost_usd: 41.8732, unpriced_requests: 0 },
    },
    1,
  ),
  instanceOf(
    {
      name: 'review',
      provider: 'acme',
      models: ['acme-2-large', 'acme-2', 'acme-2-mini'],
      port: 8081,
      level: 12,
      failures: 0.16,
      today: { requests: 903, failed_requests: 31, cost_usd: 18.204, unpriced_requests: 0 },
      changes: {
        severity: 'warning',
        words: 'cooling down',
        meaning: 'the provider limits the rate; the key is used again soon',
      },
      status: {
        vision: { model: 'atlas-flash', setting: 'VISION_MODEL', described: 41, failed: 1 },
        web_search: {
          back_end: 'brave',
          searches: 136,
          failed: 2,
          refused: 0,
          last_failure: { at: iso(NOW - 4_200_000), reason: 'no answer within 10 s' },
        },
        tools: { most: 128, limited_sessions: 3, left_out: 172 },
        providers: [
          {
            name: 'acme',
            base_url: 'https://api.acme.example/v1',
            circuit: 'closed',
            keys: [
              {
                label: 'key 1',
                state: 'resting',
                until: iso(NOW + 42_000),
                reason: 'rate limit of 60 requests a minute',
              },
              { label: 'key 2', state: 'ready', until: null, reason: null },
            ],
            last_answer_at: iso(NOW - 9000),
          },
          {
            name: 'northwind',
            base_url: 'https://llm.northwind.example/v1',
            circuit: 'closed',
            keys: [],
            last_answer_at: null,
          },
        ],
        last_error: {
          at: iso(NOW - 18_000),
          status: 429,
          type: 'rate_limit_error',
          message: '[review 429] rate limit of 60 requests a minute reached',
        },
      },
    },
    2,
  ),
  instanceOf(
    {
      name: 'local',
      provider: 'llama-server',
      models: ['coder-30b', 'coder-30b', 'coder-30b'],
      port: 8082,
      level: 5,
      failures: 0,
      today: { requests: 214, failed_requests: 0, cost_usd: 0, unpriced_requests: 214 },
    },
    4,
  ),
  {
    ...instanceOf(
      {
        name: 'nightly',
        provider: 'northwind',
        models: ['atlas-pro', 'atlas-pro', 'atlas-flash'],
        port: 8083,
        level: 0,
        failures: 0,
        today: { requests: 9, failed_requests: 9, cost_usd: 0, unpriced_requests: 0 },
        changes: { severity: 'bad', words: 'key refused', meaning: 'the provider refuses the key, or every key' },
        status: {
          in_flight: 0,
          last_success_at: null,
          last_error: {
            at: iso(NOW - 640_000),
            status: 401,
            type: 'authentication_error',
            message: '[nightly 401] the provider rejected OPENAI_API_KEY: invalid api key',
          },
        },
      },
      3,
    ),
  },
  instanceOf(
    {
      name: 'demo',
      provider: 'demo',
      models: ['demo-big', 'demo', 'demo-small'],
      port: 8084,
      level: 0,
      failures: 0,
      today: { requests: 0, failed_requests: 0, cost_usd: 0, unpriced_requests: 0 },
      changes: { severity: 'idle', words: 'stopped', meaning: 'it has run before and does not run now' },
      status: {
        pid: null,
        uptime_seconds: null,
        memory_bytes: null,
        providers: null,
        in_flight: null,
        requests: null,
        last_success_at: null,
      },
    },
    5,
  ),
];

export const now: NowAnswer = {
  at: iso(NOW),
  version: '0.1.0',
  instances,
  total: {
    in_flight: 17,
    waiting: 2,
    recent: {
      requests_per_second: 0.85,
      input_tokens_per_second: 20_910,
      output_tokens_per_second: 321.3,
      first_event_ms: { p50: 540, p95: 2650 },
      duration_ms: { p50: 5200, p95: 28_000 },
    },
    today: { requests: 5344, failed_requests: 52, cost_usd: 60.0772, unpriced_requests: 214 },
  },
  problems: [
    {
      instance: 'nightly',
      severity: 'bad',
      problem: '16:31:30 401 the provider rejected OPENAI_API_KEY: invalid api key',
      remedy: 'correct the key: ./manage key nightly',
    },
    {
      instance: 'review',
      severity: 'warning',
      problem: '16:41:52 429 rate limit of 60 requests a minute reached',
      remedy: 'used again at 16:42:52',
    },
    {
      instance: null,
      severity: 'warning',
      problem: 'the instances are not started with the machine',
      remedy: './manage service install',
    },
  ],
};

const SESSIONS = ['3f9a1c5e7b2d4860', '8c21d07be9a54f13', 'b7745e0d1c3f9a26'];

function requestRow(index: number, random: () => number): RequestRow {
  const example = requestsAnswer.requests[0] as RequestRow;
  const time = NOW - index * 2700 - Math.floor(random() * 1500);
  const instance = instances[random() < 0.62 ? 0 : random() < 0.75 ? 1 : 2] as InstanceNow;
  const { provider, models } = instance.status;
  const isSmall = random() < 0.22;
  const chance = random();
  const fresh = Math.round(300 + random() ** 2 * 9000);
  const firstEvent = Math.round(260 + random() ** 3 * 3200);
  const duration = firstEvent + Math.round(600 + random() ** 3 * 42_000);
  const base: RequestRow = {
    ...example,
    cursor: `${time}.${index}`,
    id: `req_${(0x10000 + index * 7919).toString(16)}5e2b7c9d4f1a8063e7`.slice(0, 28),
    instance: instance.name,
    time: iso(time),
    provider: provider ?? '',
    tier: isSmall ? 'small' : 'big',
    intent: isSmall ? 'title' : 'chat',
    model: isSmall ? 'claude-haiku-4-5' : index % 9 === 4 ? 'claude-sonnet-5' : 'claude-opus-5',
    upstream_model: isSmall ? models.small : models.big,
    input_tokens: fresh,
    cache_read_tokens: isSmall ? 0 : Math.round(12_000 + random() * 110_000),
    cache_creation_tokens: isSmall ? 0 : Math.round(random() * 2400),
    output_tokens: Math.round(40 + random() ** 2 * 2400),
    first_event_ms: firstEvent,
    duration_ms: duration,
    session: SESSIONS[index % 3] ?? null,
    agent: chance > 0.86 ? 'a1' : null,
    client: null,
  };
  const cost =
    provider === 'llama-server'
      ? null
      : (fresh * 3 + (base.cache_read_tokens ?? 0) * 0.3 + (base.output_tokens ?? 0) * 15) / 1e6;
  const nothing = {
    input_tokens: null,
    cache_read_tokens: null,
    cache_creation_tokens: null,
    output_tokens: null,
    cost: null,
  };
  if (index === 3 || chance < 0.05) {
    return {
      ...base,
      ...nothing,
      instance: 'review',
      provider: 'acme',
      status: 429,
      outcome: 'error',
      error_type: 'rate_limit_error',
      error_message: '[review 429] rate limit of 60 requests a minute reached',
      first_event_ms: null,
      duration_ms: 1240,
      attempts: 3,
    };
  }
  if (index === 2 || (chance > 0.05 && chance < 0.08))
    return { ...base, cost, fallbacks: 1, attempts: 2, provider: 'northwind', upstream_model: 'atlas-pro' };
  if (index === 14) {
    return { ...base, cost, outcome: 'client_closed', output_tokens: 34 };
  }
  if (index === 19) {
    return {
      ...base,
      ...nothing,
      status: 200,
      outcome: 'interrupted',
      error_type: 'overloaded_error',
      error_message: '[work] the provider broke off its answer',
    };
  }
  return { ...base, cost };
}

const random = createRandom(42);
export const rows: readonly RequestRow[] = Array.from({ length: 100 }, (_, index) => requestRow(index, random));

export const requests: RequestsAnswer = {
  requests: rows,
  next: rows.at(-1)?.cursor ?? null,
  index: {
    is_complete: true,
    records: 15_204,
    oldest_at: iso(NOW - 3 * 86_400_000),
    models: ['claude-opus-5', 'acme-2', 'claude-haiku-4-5', 'acme-2-mini', 'claude-sonnet-5', 'coder-30b', 'atlas-pro'],
    clients: [],
  },
};

/** The detail of any row. */
export function detailOf(row: RequestRow): RequestDetail {
  const first = row.first_event_ms ?? row.duration_ms;
  const isFine = row.outcome === 'ok' || row.outcome === 'client_closed';
  return {
    record: { time: row.time, level: 'info', event: 'request', id: row.id, instance: row.instance, status: row.status },
    row,
    why: [
      `${row.model} stands for the ${row.tier} model.`,
      ...(row.fallbacks > 0 ? ['acme,acme-2 was asked first and failed: 503 the provider is overloaded.'] : []),
      ...((row.attempts ?? 0) > 1 ? [`A provider was asked ${row.attempts} times.`] : []),
      'The tool schemas were made smaller, as the provider takes no “format”.',
    ],
    times: { waiting_ms: Math.min(first, row.duration_ms), streaming_ms: Math.max(0, row.duration_ms - first) },
    tokens: {
      fresh: row.input_tokens,
      cached: row.cache_read_tokens,
      written: row.cache_creation_tokens,
      output: row.output_tokens,
      reasoning: row.output_tokens === null ? null : Math.round(row.output_tokens / 3),
      estimated: false,
    },
    supplied: {
      pictures: row.fallbacks > 0 ? { total: 3, described: 1, failed: 0, cost: 0.0009 } : null,
      searches: row.fallbacks > 0 ? { done: 2, failed: 1, cost: 0.01 } : null,
      tools_left_out: row.fallbacks > 0 ? 172 : null,
    },
    error: isFine
      ? null
      : {
          status: row.status,
          type: row.error_type ?? '',
          message: row.error_message ?? '',
          remedies: [
            'Nothing: Claude Code waits as long as the answer says and repeats the request.',
            './manage test review',
          ],
          page: 'docs/ERRORS.md',
        },
  };
}

const MODELS = [
  ['acme-2', 1, 3.1],
  ['acme-2-large', 0.34, 5.2],
  ['atlas-pro', 0.26, 2.4],
  ['acme-2-mini', 0.9, 0.21],
  ['coder-30b', 0.3, 0],
  ['atlas-flash', 0.14, 0.12],
] as const;
const DAY_MS = 86_400_000;
const days = Array.from({ length: 30 }, (_, index) => iso(NOW - (29 - index) * DAY_MS).slice(0, 10));

function usageGroup([group, weight, price]: (typeof MODELS)[number], seed: number) {
  const chance = createRandom(seed * 97 + 5);
  const requestsOfDay = days.map((day) => {
    const isWeekend = [0, 6].includes(new Date(day).getUTCDay());
    return Math.round(weight * (isWeekend ? 90 : 520) * (0.5 + chance()));
  });
  const input = requestsOfDay.map((count) => Math.round(count * (21_000 + 9000 * chance())));
  return {
    group,
    name: null,
    requests: requestsOfDay,
    input_tokens: input,
    cache_read_tokens: input.map((tokens) => Math.round(tokens * (0.78 + 0.12 * chance()))),
    output_tokens: requestsOfDay.map((count) => Math.round(count * (310 + 160 * chance()))),
    cost_usd: requestsOfDay.map((count) => (count * price * (0.7 + 0.5 * chance())) / 180),
    unpriced_requests: requestsOfDay.map((count) => (price === 0 ? count : 0)),
  };
}

const groups = MODELS.map(usageGroup);
const add = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

const lines: readonly UsageLine[] = groups.map((group) => {
  const unpriced = add(group.unpriced_requests);
  const count = add(group.requests);
  return {
    group: group.group,
    name: null,
    requests: count,
    failed_requests: Math.round(count * 0.006),
    input_tokens: add(group.input_tokens),
    cache_read_tokens: add(group.cache_read_tokens),
    cache_creation_tokens: Math.round(add(group.input_tokens) * 0.03),
    output_tokens: add(group.output_tokens),
    reasoning_tokens: Math.round(add(group.output_tokens) * 0.31),
    cost_usd: unpriced === count ? null : add(group.cost_usd),
    unpriced_requests: unpriced,
    last_request_at: iso(NOW - 9000),
    health_checks: 0,
    side_calls: group.group === 'atlas-flash' ? 41 : 0,
    web_searches: group.group === 'acme-2' ? 136 : 0,
    search_cost_usd: group.group === 'acme-2' ? 0.68 : 0,
  };
});

function sumOf(all: readonly UsageFigures[], factor = 1): UsageFigures {
  const sum = (read: (line: UsageFigures) => number) => Math.round(factor * add(all.map(read)));
  return {
    requests: sum((line) => line.requests),
    failed_requests: sum((line) => line.failed_requests),
    input_tokens: sum((line) => line.input_tokens),
    cache_read_tokens: sum((line) => line.cache_read_tokens),
    cache_creation_tokens: sum((line) => line.cache_creation_tokens),
    output_tokens: sum((line) => line.output_tokens),
    reasoning_tokens: sum((line) => line.reasoning_tokens),
    cost_usd: factor * add(all.map((line) => line.cost_usd ?? 0)),
    unpriced_requests: sum((line) => line.unpriced_requests),
    last_request_at: iso(NOW - 9000),
    health_checks: 0,
    side_calls: sum((line) => line.side_calls),
    web_searches: sum((line) => line.web_searches),
    search_cost_usd: factor * add(all.map((line) => line.search_cost_usd)),
  };
}

export const usage: UsageAnswer = {
  by: 'model',
  period: 'day',
  first_day: days[0] ?? '',
  last_day: days.at(-1) ?? '',
  lines,
  total: sumOf(lines),
  series: { periods: days, groups },
  before: {
    first_day: '2026-09-22',
    last_day: '2026-10-21',
    lines: lines.map((line, index) => ({
      ...line,
      cost_usd: line.cost_usd === null ? null : line.cost_usd * (0.7 + index * 0.16),
    })),
    total: sumOf(lines, 0.87),
  },
  unreadable: [],
  machines: 'this',
  has_database: false,
};

const FOLDERS = [
  '/home/ada/work/billing-service',
  '/home/ada/work/web-client',
  '/home/ada/notes',
  '/home/ada/work/infrastructure/terraform',
];

export const sessions: SessionsAnswer = {
  first_day: '2026-11-14',
  last_day: '2026-11-20',
  sessions: Array.from({ length: 18 }, (_, index): SessionLine => {
    const chance = createRandom(index * 31 + 3);
    const turns = Math.round(4 + chance() ** 2 * 160);
    const input = Math.round(turns * (18_000 + chance() * 60_000));
    const share = 0.62 + 0.33 * chance();
    const end = NOW - index * index * 700_000 - 20_000;
    const isLocal = index % 7 === 5;
    return {
      ...sumOf(lines, 0),
      session: SESSIONS[index % 3] ? `${SESSIONS[index % 3]?.slice(0, 14)}${index.toString().padStart(2, '0')}` : '',
      session_id: index === 4 ? null : `9b2f6c1e-4b5a-4a53-9a55-0c1d2e3f4a${(16 + index).toString(16)}`,
      project: index === 4 ? null : (FOLDERS[index % 4] ?? null),
      instances: [isLocal ? 'local' : 'work'],
      providers: [isLocal ? 'llama-server' : 'acme'],
      models: isLocal ? ['coder-30b'] : ['acme-2', 'acme-2-mini'],
      first_request_at: iso(end - turns * 48_000),
      last_request_at: iso(end),
      turns,
      agent_requests: Math.round(turns * chance()),
      requests: Math.round(turns * 1.7),
      failed_requests: index % 5 === 2 ? 3 : 0,
      input_tokens: input,
      cache_read_tokens: Math.round(input * share),
      cache_creation_tokens: Math.round(input * 0.04),
      output_tokens: turns * 410,
      reasoning_tokens: turns * 120,
      cost_usd: isLocal ? null : input / 1_900_000,
      unpriced_requests: isLocal ? turns : 0,
      cache_hit_share: share,
      longest_ms: Math.round(9000 + chance() * 210_000),
    };
  }),
  found: 18,
  unreadable: [],
};

export const setup: SetupAnswer = {
  ...setupAnswer,
  instances: instances.map(({ name, status }) => ({
    name,
    env_file: status.env_file,
    provider: status.provider,
    provider_title: (status.provider ?? '').replace(/^./, (letter) => letter.toUpperCase()),
    address: `127.0.0.1:${status.port}`,
    models: status.models,
    key: name === 'demo' || name === 'local' ? 'not needed' : '****7f3a',
    sound: true,
    settings: [
      `provider: ${status.provider}`,
      `models: big ${status.models.big}, small ${status.models.small}`,
      'key: ****7f3a (OPENAI_API_KEY)',
    ],
    problems:
      name === 'review'
        ? [
            {
              file: 'envs/review.env',
              line: 12,
              key: 'MAX_RETRIS',
              found: 'is no setting; it is not used.',
              fix: 'Write MAX_RETRIES.',
              severity: 'warning',
            },
          ]
        : [],
    use: {
      run: `./manage run ${name}`,
      by_hand: `ANTHROPIC_BASE_URL=http://127.0.0.1:${status.port} ANTHROPIC_AUTH_TOKEN=unused API_TIMEOUT_MS=3000000 claude`,
      note: null,
      in_project: `./manage use ${name}`,
    },
  })),
  findings: [
    {
      check: 'runtime',
      instance: null,
      result: 'ok',
      detail: 'Node.js 26.10.0, PM2 7.0.4',
      remedy: null,
      fixable: false,
    },
    {
      check: 'build',
      instance: null,
      result: 'ok',
      detail: 'dist/claude-code-proxy is that of the sources',
      remedy: null,
      fixable: false,
    },
    {
      check: 'provider key',
      instance: 'nightly',
      result: 'fail',
      detail: 'the provider refuses the key: 401 invalid api key',
      remedy: 'correct the key: ./manage key nightly',
      fixable: false,
    },
    {
      check: 'file modes',
      instance: 'local',
      result: 'warn',
      detail: 'envs/local.env can be read by other users of this machine (mode 644)',
      remedy: 'chmod 600 envs/local.env',
      fixable: true,
    },
    {
      check: 'service',
      instance: null,
      result: 'warn',
      detail: 'the instances are not started with the machine',
      remedy: './manage service install',
      fixable: false,
    },
    {
      check: 'Claude Code',
      instance: null,
      result: 'ok',
      detail: 'version 2.4.11 at /home/ada/.local/bin/claude',
      remedy: null,
      fixable: false,
    },
  ],
  found_at: iso(NOW - 31_000),
};
