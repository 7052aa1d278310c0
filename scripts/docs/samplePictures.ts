import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { describeCondition } from '../../src/cli/supervisor/condition.ts';
import type { Health } from '../../src/cli/supervisor/health.ts';
import type { Instance } from '../../src/cli/supervisor/instances.ts';
import { diagnoseReload, hintLine, type State } from '../../src/cli/supervisor/state.ts';
import type { Colour } from '../../src/cli/terminal/output.ts';
import { type Circuit, type InstanceSample, NO_RECENT_USAGE } from '../../src/cli/top/sample.ts';
import { topFrame } from '../../src/cli/top/topView.ts';
import type { StatusEntry } from '../../src/cli/views/statusEntry.ts';
import { statusText } from '../../src/cli/views/statusView.ts';
import { configFromText } from '../../src/config/load.ts';
import { presets } from '../../src/providers/index.ts';
import { createConsoleView } from '../../src/telemetry/console/view.ts';
import type { RequestRecord } from '../../src/telemetry/requestRecord.ts';
import { NO_USAGE } from '../../src/telemetry/usage/totals.ts';
import { terminalPicture } from './terminalPicture.ts';

const ROOT = '/home/you/claude-code-proxy';

/** Width of the pictures of commands. */
const COLUMNS = 126;
/** The moment of all pictures, in this machine's own time, so that they are the same everywhere. In ms since 1970. */
const PICTURE_TIME = new Date(2026, 10, 20, 14, 3, 7).getTime();

/** Always in colours. */
const paint = (colour: Colour, text: string): string => styleText(colour, text, { validateStream: false });

/** The instances of the examples, sorted by name as the commands show them. */
function sampleInstances(): Instance[] {
  return presets
    .flatMap(({ name, port, protocol }) => {
      if (port === undefined) return [];
      const key = protocol === 'demo' ? '' : 'OPENAI_API_KEY=sk-picture\n';
      return [sampleInstance(name, `PROVIDER=${name}\nPORT=${port}\n${key}`)];
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

function sampleInstance(name: string, text: string): Instance {
  const file = `${ROOT}/envs/${name}.env`;
  const { config, problems } = configFromText(`envs/${name}.env`, text, {}, ROOT);
  const app = {
    name,
    script: `${ROOT}/dist/claude-code-proxy`,
    args: ['--env', file],
    env: {},
    out_file: `${ROOT}/logs/${name}/console.log`,
    kill_timeout: 35_000,
    listen_timeout: 10_000,
  } as const;
  return { name, app, config, problems };
}

const MINUTE = 60;
const HOUR = 3600;

type StatusFigure = Partial<Health> & Pick<Health, 'pid'>;

/** What the instances report of themselves, in their order; the one without has been stopped. */
const statusFigures: readonly (StatusFigure | undefined)[] = [
  { pid: 4127, uptime_seconds: 6.4 * HOUR, memory_bytes: 98e6, requests: { total: 12, failed: 0 } },
  { pid: 4131, uptime_seconds: 6.4 * HOUR, memory_bytes: 104e6, requests: { total: 318, failed: 0 } },
  { pid: 4893, uptime_seconds: 3.2 * HOUR, memory_bytes: 121e6, requests: { total: 1904, failed: 2 } },
  {
    pid: 5210,
    uptime_seconds: 52 * MINUTE,
    memory_bytes: 109e6,
    requests: { total: 466, failed: 3 },
    last_success_at: new Date(PICTURE_TIME - 25 * MINUTE * 1000).toISOString(),
    last_error: {
      at: new Date(PICTURE_TIME - 11 * MINUTE * 1000).toISOString(),
      status: 401,
      type: 'authentication_error',
      message:
        'the provider rejected the key: Incorrect API key provided. The key may have been deleted or belong to another region.',
    },
  },
  undefined,
];

function healthOf({ name, config }: Instance, figure: StatusFigure): Health {
  return {
    service: 'claude-code-proxy',
    instance: name,
    state: 'serving',
    config_hash: config?.hash,
    shares_port: true,
    models: { ...config?.tiers },
    provider: { name: config?.provider.preset.name ?? name },
    key: config?.provider.key.source ?? '',
    ...figure,
  };
}

function statusEntryOf(instance: Instance, figure: StatusFigure | undefined): StatusEntry {
  const health = figure && healthOf(instance, figure);
  const answer = health === undefined ? ({ kind: 'closed' } as const) : ({ kind: 'instance', health } as const);
  const isOurs = health !== undefined;
  const inspection = {
    instance,
    row: undefined,
    movedFrom: undefined,
    otherUser: undefined,
    unit: undefined,
    answer,
    isOurs,
    workers: [],
  };
  const state: State = health === undefined ? 'stopped' : 'serving';
  const hint = diagnoseReload(inspection);
  const report = describeCondition({ instance, state, health, row: undefined, isSound: true, hasRun: true });
  return { inspection, state, health, report, hint: hint && hintLine(instance.name, hint) };
}

/** docs/pictures/status.svg: what `./manage status` prints of instances as they may be. */
export function statusPicture(): string {
  const entries = sampleInstances().map((instance, index) => statusEntryOf(instance, statusFigures[index]));
  const table = statusText(entries, { paint, columns: COLUMNS, program: './manage' }).split('\n');
  return terminalPicture('./manage status', [...table, ...entries.flatMap(({ hint }) => hint ?? [])], COLUMNS);
}

const ROWS = 24;

interface TopFigure {
  /** Of the last minute. */
  readonly requests: number;
  readonly outputTokens: number;
  readonly inFlight: number;
  /** In ms, of the first events; whole answers take longer by `answering`. */
  readonly firstEvents: readonly number[];
  readonly answering: number;
  readonly today: { readonly requests: number; readonly failed: number; readonly cost: number };
  readonly circuit: string;
}

/** What the instances have done, in their order; the one without does not run. */
const topFigures: readonly (TopFigure | undefined)[] = [
  {
    ...{ requests: 1, outputTokens: 38, inFlight: 0, firstEvents: [3, 4], answering: 340 },
    ...{ today: { requests: 12, failed: 0, cost: 0 }, circuit: 'closed' },
  },
  {
    ...{ requests: 9, outputTokens: 4310, inFlight: 1, firstEvents: [610, 700, 1840], answering: 5200 },
    ...{ today: { requests: 318, failed: 0, cost: 1.84 }, circuit: 'closed' },
  },
  {
    ...{ requests: 31, outputTokens: 16_900, inFlight: 4, firstEvents: [480, 530, 590, 2300], answering: 7400 },
    ...{ today: { requests: 1904, failed: 2, cost: 6.12 }, circuit: 'closed' },
  },
  {
    ...{ requests: 12, outputTokens: 7250, inFlight: 2, firstEvents: [820, 900, 3100], answering: 11_800 },
    ...{ today: { requests: 466, failed: 1, cost: 4.37 }, circuit: 'open' },
  },
  undefined,
];

function topRowOf(name: string, figure: TopFigure | undefined): InstanceSample {
  if (figure === undefined) {
    const idle = { inFlight: 0, waiting: 0, circuits: [], restarts: 0, recent: NO_RECENT_USAGE };
    return { name, state: 'not running', condition: 'stopped', ...idle };
  }
  const { requests, outputTokens, inFlight, firstEvents, answering, today, circuit } = figure;
  const circuits: readonly Circuit[] = [{ provider: undefined, state: circuit }];
  const durations = firstEvents.map((time) => time + answering);
  const recent = { requests, inputTokens: 0, outputTokens, firstEvents, durations, today: { ...NO_USAGE, ...today } };
  const condition = circuit === 'closed' ? 'ready' : 'provider down';
  return { name, state: 'serving', condition, restarts: 0, inFlight, waiting: 0, circuits, recent };
}

/** docs/pictures/top.svg: one moment of `./manage top`. */
export function topPicture(): string {
  const rows = sampleInstances().map(({ name }, index) => topRowOf(name, topFigures[index]));
  const frame = topFrame(rows, PICTURE_TIME, paint, { columns: COLUMNS, rows: ROWS });
  return terminalPicture('./manage top', frame, COLUMNS);
}

const CONSOLE_COLUMNS = 140;
const INSTANCE = 'work';

/** docs/pictures/console.svg: what the executable shows of its requests in a terminal. */
export function consolePicture(): string {
  const [first, second] = presets.filter(({ port, tiers }) => port !== undefined && tiers !== undefined);
  if (first?.tiers === undefined || second?.tiers === undefined) throw new Error('there are no presets to show');
  const columns = () => CONSOLE_COLUMNS;
  const providers = [first.name, second.name];
  const view = createConsoleView({ instance: INSTANCE, providers, colours: 256, columns, redact: (text) => text });
  const { big, small } = first.tiers;
  const answered = { id: '', endpoint: '/v1/messages', stream: true, status: 200, outcome: 'ok' } as const;
  const records: readonly RequestRecord[] = [
    {
      ...{ ...answered, provider: first.name, tier: 'small', model: 'claude-haiku-4-5', upstreamModel: small },
      ...{ inputTokens: 412, outputTokens: 24, cost: 0.0005, firstEventMs: 410, durationMs: 690, attempts: 1 },
    },
    {
      ...{ ...answered, provider: first.name, tier: 'big', model: 'claude-opus-5', upstreamModel: big },
      ...{ inputTokens: 1210, cacheReadTokens: 38_400, outputTokens: 912, cost: 0.0192 },
      ...{ firstEventMs: 820, durationMs: 11_300, attempts: 1 },
    },
    {
      ...{ ...answered, provider: second.name, tier: 'big', model: 'claude-opus-5', upstreamModel: second.tiers.big },
      ...{ fallbacks: [{ from: `${first.name},${big}`, reason: '429' }], inputTokens: 40_900, outputTokens: 655 },
      ...{ cost: 0.0601, firstEventMs: 1240, durationMs: 9800, attempts: 2 },
    },
    {
      ...{ ...answered, provider: first.name, tier: 'big', model: 'claude-opus-5', upstreamModel: big },
      ...{
        status: 400,
        outcome: 'rejected',
        errorType: 'invalid_request_error',
        cost: 0,
        durationMs: 340,
        attempts: 1,
      },
      errorMessage: 'prompt is too long: 1060212 tokens > 1048576 maximum',
    },
  ];
  const lines = records.map((record, index) => view.request(PICTURE_TIME + index * 14_000, record));
  return terminalPicture(`dist/claude-code-proxy --env envs/${INSTANCE}.env`, lines, CONSOLE_COLUMNS);
}

/** docs/pictures/claude.svg: a screen of Claude Code with the status line, as `tmux capture-pane -e` has kept it beside the picture. */
export function claudePicture(root: string): string {
  const screen = readFileSync(join(root, 'docs/pictures/claude.ansi'), 'utf8');
  return terminalPicture('./manage run demo', screen.trimEnd().split('\n'), CLAUDE_COLUMNS);
}

/** Of the terminal that was kept. */
const CLAUDE_COLUMNS = 96;
