import type { InstanceNow, NowAnswer, SetupAnswer } from '../../src/cli/ui/contract.ts';
import type {
  RequestDetail,
  RequestRow,
  RequestsAnswer,
  SessionsAnswer,
  UsageAnswer,
  UsageFigures,
} from '../../src/cli/ui/records.ts';

/** An example of each answer of the page's server, from fixed data: for tests and pictures of the page without a server. */
export const AT = '2026-11-20T10:00:00.000Z';

const minutes = Array.from({ length: 60 }, (_, index) => ({
  at: new Date(Date.parse(AT) - (59 - index) * 60_000).toISOString(),
  requests: (index * 7) % 13,
  failed_requests: index % 29 === 0 ? 1 : 0,
  output_tokens: ((index * 7) % 13) * 310,
}));

const demo: InstanceNow = {
  name: 'demo',
  severity: 'good',
  words: 'ready',
  meaning: 'it answers, and nothing is known against it',
  status: {
    env_file: 'envs/demo.env',
    host: '127.0.0.1',
    port: 8080,
    state: 'serving',
    condition: 'ready',
    condition_reason: null,
    condition_remedy: null,
    supervised: true,
    provider: 'demo',
    providers: [
      {
        name: 'demo',
        base_url: 'demo://local',
        circuit: 'closed',
        keys: [{ label: 'none', state: 'ready', until: null, reason: null }],
        last_answer_at: AT,
      },
    ],
    models: { big: 'demo-big', middle: 'demo', small: 'demo-small' },
    key: 'none',
    pid: 4711,
    restarts: 0,
    started_at: '2026-11-20T08:00:00.000Z',
    uptime_seconds: 7200,
    memory_bytes: 87_000_000,
    version: '0.1.0',
    config_loaded_at: '2026-11-20T08:00:00.000Z',
    restart_needed: [],
    in_flight: 2,
    requests: { total: 412, ok: 405, rejected: 1, failed: 4, client_closed: 2 },
    vision: null,
    unseen_pictures: 0,
    web_search: null,
    tools: { most: null, limited_sessions: 0, left_out: 0 },
    last_success_at: AT,
    last_error: null,
  },
  figures: {
    in_flight: 2,
    waiting: 0,
    recent: {
      requests_per_second: 0.35,
      input_tokens_per_second: 5200,
      output_tokens_per_second: 48.2,
      first_event_ms: { p50: 420, p95: 1900 },
      duration_ms: { p50: 3800, p95: 14_500 },
    },
    today: { requests: 412, failed_requests: 4, cost_usd: 1.8732, unpriced_requests: 0 },
  },
  minutes,
  action: null,
};

const work: InstanceNow = {
  ...demo,
  name: 'work',
  severity: 'bad',
  words: 'key refused',
  meaning: 'the provider refuses the key, or every key',
  status: {
    ...demo.status,
    env_file: 'envs/work.env',
    port: 8081,
    condition: 'key refused',
    condition_reason: '10:59:12 401 the key is not valid',
    condition_remedy: 'correct the key: ./manage key work',
    provider: 'acme',
    providers: [
      {
        name: 'acme',
        base_url: 'https://api.acme.example/v1',
        circuit: 'open',
        keys: [{ label: 'key 1', state: 'resting', until: '2026-11-20T10:05:00.000Z', reason: 'the key is not valid' }],
        last_answer_at: AT,
      },
    ],
    models: { big: 'acme-2', middle: 'acme-2', small: 'acme-2-mini' },
    in_flight: 0,
    last_error: { at: AT, status: 401, type: 'authentication_error', message: 'the key is not valid' },
  },
  figures: {
    ...demo.figures,
    in_flight: 0,
    today: { requests: 9, failed_requests: 9, cost_usd: 0, unpriced_requests: 3 },
  },
};

export const nowAnswer: NowAnswer = {
  at: AT,
  version: '0.1.0',
  instances: [demo, work],
  total: demo.figures,
  problems: [
    {
      instance: 'work',
      severity: 'bad',
      problem: '10:59:12 401 the key is not valid',
      remedy: 'correct the key: ./manage key work',
    },
    {
      instance: null,
      severity: 'warning',
      problem: 'the disk of logs/ has 800 MB left',
      remedy: 'make space, or set LOG_MAX_TOTAL',
    },
  ],
};

const row: RequestRow = {
  cursor: '1794564000000.12',
  id: 'req_0123456789abcdef01234567',
  instance: 'demo',
  time: AT,
  endpoint: '/v1/messages',
  provider: 'demo',
  tier: 'big',
  route: null,
  intent: 'chat',
  model: 'claude-opus-4-1',
  upstream_model: 'demo-big',
  stream: true,
  status: 200,
  outcome: 'ok',
  error_type: null,
  error_message: null,
  input_tokens: 812,
  cache_read_tokens: 18_300,
  cache_creation_tokens: 400,
  output_tokens: 260,
  cost: 0.0132,
  first_event_ms: 410,
  duration_ms: 4200,
  attempts: 1,
  fallbacks: 0,
  session: '0123456789abcdef',
  agent: null,
  client: null,
};

const failed: RequestRow = {
  ...row,
  cursor: '1794563990000.11',
  id: 'req_fedcba9876543210fedcba98',
  instance: 'work',
  time: '2026-11-20T09:59:50.000Z',
  provider: 'acme',
  upstream_model: 'acme-2',
  status: 429,
  outcome: 'error',
  error_type: 'rate_limit_error',
  error_message: '[work 429] too many <b>requests</b>',
  input_tokens: null,
  cache_read_tokens: null,
  cache_creation_tokens: null,
  output_tokens: null,
  cost: null,
  first_event_ms: null,
  duration_ms: 1200,
  attempts: 3,
  fallbacks: 1,
  agent: 'a1',
  client: 'alice',
};

export const requestsAnswer: RequestsAnswer = {
  requests: [row, failed],
  next: null,
  index: {
    is_complete: true,
    records: 2,
    oldest_at: failed.time,
    models: ['claude-opus-4-1', 'demo-big', 'acme-2'],
    clients: [],
  },
};

export const requestDetail: RequestDetail = {
  record: { time: failed.time, event: 'request', id: failed.id, instance: 'work', status: 429, outcome: 'error' },
  row: failed,
  why: [
    'claude-opus-4-1 stands for the big model.',
    'acme,acme-1 was asked first and failed: 503 overloaded.',
    'A provider was asked 3 times.',
  ],
  times: { waiting_ms: 1200, streaming_ms: 0 },
  tokens: { fresh: null, cached: null, written: null, output: null, reasoning: null, estimated: false },
  supplied: { pictures: null, searches: null, tools_left_out: null },
  error: {
    status: 429,
    type: 'rate_limit_error',
    message: failed.error_message ?? '',
    remedies: ['Wait a moment and try again; a larger plan has larger limits.'],
    page: 'docs/ERRORS.md',
  },
};

const figures: UsageFigures = {
  requests: 120,
  failed_requests: 2,
  input_tokens: 2_400_000,
  cache_read_tokens: 2_000_000,
  cache_creation_tokens: 60_000,
  output_tokens: 48_000,
  reasoning_tokens: 9000,
  cost_usd: 3.2105,
  unpriced_requests: 0,
  last_request_at: AT,
  health_checks: 0,
  side_calls: 0,
  web_searches: 0,
  search_cost_usd: 0,
};

const unpriced: UsageFigures = { ...figures, requests: 40, cost_usd: null, unpriced_requests: 40 };
const total: UsageFigures = { ...figures, requests: 160, unpriced_requests: 40 };

/** The last 30 days up to that of the example. */
const days = Array.from({ length: 30 }, (_, index) =>
  new Date(Date.parse(AT) - (29 - index) * 86_400_000).toISOString().slice(0, 10),
);
const bars = (factor: number) => days.map((_, index) => ((index * 5) % 7) * factor);

export const usageAnswer: UsageAnswer = {
  by: 'model',
  period: 'day',
  first_day: days[0] ?? '',
  last_day: days.at(-1) ?? '',
  lines: [
    { group: 'acme-2', name: null, ...figures },
    { group: 'free-model', name: null, ...unpriced },
  ],
  total,
  series: {
    periods: days,
    groups: [
      {
        group: 'acme-2',
        name: null,
        requests: bars(2),
        input_tokens: bars(40_000),
        cache_read_tokens: bars(33_000),
        output_tokens: bars(800),
        cost_usd: bars(0.05),
        unpriced_requests: bars(0),
      },
      {
        group: 'free-model',
        name: null,
        requests: bars(1),
        input_tokens: bars(9000),
        cache_read_tokens: bars(2000),
        output_tokens: bars(300),
        cost_usd: bars(0),
        unpriced_requests: bars(1),
      },
    ],
  },
  before: {
    first_day: '2026-09-22',
    last_day: '2026-10-21',
    lines: [{ group: 'acme-2', name: null, ...figures }],
    total: figures,
  },
  unreadable: [],
  machines: 'this',
  has_database: false,
};

export const sessionsAnswer: SessionsAnswer = {
  first_day: days[0] ?? '',
  last_day: days.at(-1) ?? '',
  sessions: [
    {
      ...figures,
      session: '0123456789abcdef',
      session_id: '9b2f6c1e-4b5a-4a53-9a55-0c1d2e3f4a5b',
      project: '/home/me/project',
      instances: ['demo', 'work'],
      providers: ['acme', 'demo'],
      models: ['acme-2', 'acme-2-mini'],
      first_request_at: '2026-11-20T08:10:00.000Z',
      turns: 96,
      agent_requests: 24,
      cache_hit_share: 0.83,
      longest_ms: 61_000,
    },
  ],
  found: 1,
  unreadable: [],
};

export const setupAnswer: SetupAnswer = {
  instances: [
    {
      name: 'demo',
      env_file: 'envs/demo.env',
      provider: 'demo',
      provider_title: 'Demo',
      address: '127.0.0.1:8080',
      models: demo.status.models,
      key: 'not needed',
      sound: true,
      settings: ['provider: demo', 'models: big demo-big, middle demo, small demo-small'],
      problems: [],
      use: {
        run: './manage run demo',
        by_hand: 'ANTHROPIC_BASE_URL=http://127.0.0.1:8080 ANTHROPIC_AUTH_TOKEN=unused API_TIMEOUT_MS=3000000 claude',
        note: null,
        in_project: './manage use demo',
      },
    },
    {
      name: 'work',
      env_file: 'envs/work.env',
      provider: 'acme',
      provider_title: 'Acme',
      address: '127.0.0.1:8081',
      models: work.status.models,
      key: '****1234',
      sound: false,
      settings: [],
      problems: [
        {
          file: 'envs/work.env',
          line: 7,
          key: 'BIG_MODLE',
          found: 'a name that is no setting',
          fix: 'Write BIG_MODEL.',
          severity: 'error',
        },
      ],
      use: {
        run: './manage run work',
        by_hand: 'ANTHROPIC_BASE_URL=http://127.0.0.1:8081 ANTHROPIC_AUTH_TOKEN=TOKEN API_TIMEOUT_MS=3000000 claude',
        note: 'TOKEN is the ANTHROPIC_API_KEY of envs/work.env',
        in_project: './manage use work',
      },
    },
  ],
  findings: [
    { check: 'runtime', instance: null, result: 'ok', detail: 'Node.js 26.10.0', remedy: null, fixable: false },
    {
      check: 'env file',
      instance: 'work',
      result: 'fail',
      detail: 'envs/work.env:7 BIG_MODLE: a name that is no setting',
      remedy: 'Write BIG_MODEL.',
      fixable: false,
    },
  ],
  found_at: AT,
  ignored: [],
};
