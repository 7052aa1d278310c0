import { formatDuration, terminalSafe } from '../../core/text.ts';
import type { Colour, Output } from '../terminal/output.ts';
import { type Column, renderTable } from '../terminal/table.ts';
import { costText } from '../usage/usageView.ts';
import {
  type InstanceSample,
  percentile,
  RATE_WINDOW_MS,
  type RecentUsage,
  sumSamples,
  type TopState,
} from './sample.ts';

/** The number in the `schema` field: changes when a program that reads the JSON has to. */
const SCHEMA = 1;
const NOTHING = '-';
/** Title, hint, header and the empty lines between. */
const FRAME_LINES = 5;

const stateColours: Readonly<Record<TopState, Colour>> = {
  serving: 'green',
  draining: 'yellow',
  'not running': 'gray',
  'not answering': 'red',
  'port taken': 'red',
  'wrong settings': 'red',
};

function rate(amount: number): number {
  return amount / (RATE_WINDOW_MS / 1000);
}

/** `0.03`, `1.5`, `210`: as many digits as mean something. */
function rateText(amount: number): string {
  const perSecond = rate(amount);
  if (perSecond === 0) return '0';
  return perSecond.toFixed(perSecond < 1 ? 2 : perSecond < 10 ? 1 : 0);
}

function latencyText(values: readonly number[], share: number): string {
  const milliseconds = percentile(values, share);
  return milliseconds === undefined ? NOTHING : formatDuration(milliseconds);
}

/** The breaker, or which of several are not closed. */
function breakerText({ circuits }: InstanceSample): string {
  const notClosed = circuits.filter(({ state }) => state !== 'closed');
  if (notClosed.length === 0) return circuits.length === 0 ? NOTHING : 'closed';
  return notClosed.map(({ provider, state }) => (provider === undefined ? state : `${provider} ${state}`)).join(', ');
}

function columnsOf(paint: Output['paint'], total: InstanceSample): readonly Column<InstanceSample>[] {
  const figure = (
    title: string,
    dropOrder: number | undefined,
    text: (recent: RecentUsage) => string,
  ): Column<InstanceSample> => ({
    title,
    align: 'right',
    cell: ({ recent }) => (recent === undefined ? NOTHING : text(recent)),
    ...(dropOrder === undefined ? {} : { dropOrder }),
  });
  const columns: readonly Column<InstanceSample>[] = [
    { title: 'name', cell: ({ name }) => name },
    {
      title: 'state',
      cell: ({ state }) => state ?? '',
      paint: (text, { state }) => (state === undefined ? text : paint(stateColours[state], text)),
    },
    figure('req/s', undefined, ({ requests }) => rateText(requests)),
    figure('tokens/s', 2, ({ outputTokens }) => rateText(outputTokens)),
    { title: 'in flight', align: 'right', cell: ({ inFlight }) => String(inFlight) },
    { title: 'waiting', align: 'right', dropOrder: 4, cell: ({ waiting }) => String(waiting) },
    figure('first p50', 3, ({ firstEvents }) => latencyText(firstEvents, 0.5)),
    figure('p95', 6, ({ firstEvents }) => latencyText(firstEvents, 0.95)),
    figure('whole p50', 7, ({ durations }) => latencyText(durations, 0.5)),
    figure('p95', 8, ({ durations }) => latencyText(durations, 0.95)),
    figure('requests', 5, ({ today }) => String(today.requests)),
    {
      ...figure('errors', 1, ({ today }) => String(today.failed)),
      paint: (text, { recent }) => (recent !== undefined && recent.today.failed > 0 ? paint('red', text) : text),
    },
    figure('cost today', 3, ({ today }) => costText({ ...today, group: '', last: 0 })),
    {
      title: 'breaker',
      minimum: 6,
      dropOrder: 2,
      cell: breakerText,
      paint: (text, row) => (row.circuits.some(({ state }) => state !== 'closed') ? paint('red', text) : text),
    },
  ];
  return columns.map((column) => ({
    ...column,
    cell: (row) => terminalSafe(column.cell(row)),
    paint: (text, row) => (row === total ? paint('bold', text) : (column.paint?.(text, row) ?? text)),
  }));
}

/** The table, with a line for all together when there are several. */
export function topTable(
  rows: readonly InstanceSample[],
  { paint, columns }: Pick<Output, 'paint' | 'columns'>,
): string[] {
  const total = sumSamples(rows);
  return renderTable(columnsOf(paint, total), rows.length > 1 ? [...rows, total] : rows, columns);
}

/** How large a frame may be, in letters. */
export interface FrameSize {
  readonly columns: number;
  readonly rows: number;
}

/** The lines of the live view: never more, and none wider, than the terminal has. */
export function topFrame(
  rows: readonly InstanceSample[],
  now: number,
  paint: Output['paint'],
  { columns, rows: height }: FrameSize,
): string[] {
  const serving = rows.filter(({ state }) => state === 'serving').length;
  const time = new Date(now).toLocaleTimeString('sv-SE');
  const [header = '', ...lines] = topTable(rows, { paint, columns });
  const available = Math.max(1, height - FRAME_LINES);
  // The last line is the total.
  const shown = lines.length <= available ? lines : [...lines.slice(0, available - 1), ...lines.slice(-1)];
  return [
    `${time}  ${serving} of ${rows.length} serving`.slice(0, columns),
    '',
    paint('bold', header),
    ...shown,
    '',
    paint(
      'gray',
      'rates: last minute; latencies: last 5 minutes; requests, errors, cost: today; q ends'.slice(0, columns),
    ),
  ].slice(0, height);
}

function latencies(values: readonly number[]) {
  return { p50: percentile(values, 0.5) ?? null, p95: percentile(values, 0.95) ?? null };
}

function fields({ state, inFlight, waiting, circuits, recent }: InstanceSample) {
  return {
    state: state ?? null,
    in_flight: inFlight,
    waiting,
    circuits: circuits.map(({ provider, state: circuit }) => ({ provider: provider ?? null, state: circuit })),
    recent:
      recent === undefined
        ? null
        : {
            requests_per_second: rate(recent.requests),
            input_tokens_per_second: rate(recent.inputTokens),
            output_tokens_per_second: rate(recent.outputTokens),
            first_event_ms: latencies(recent.firstEvents),
            duration_ms: latencies(recent.durations),
          },
    today:
      recent === undefined
        ? null
        : {
            requests: recent.today.requests,
            failed_requests: recent.today.failed,
            cost_usd: Number(recent.today.cost.toFixed(6)),
            unpriced_requests: recent.today.unpriced,
          },
  };
}

/** The same for programs. Names and meanings are kept as long as `schema` is. */
export function topJson(rows: readonly InstanceSample[], now: number): string {
  const instances = rows.map((row) => ({ name: row.name, ...fields(row) }));
  const { state: _state, circuits: _circuits, ...total } = fields(sumSamples(rows));
  return JSON.stringify({ schema: SCHEMA, at: new Date(now).toISOString(), instances, total }, undefined, 2);
}
