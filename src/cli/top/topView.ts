import { formatDuration, terminalSafe, wrapText } from '../../core/text.ts';
import type { UsageTotals } from '../../telemetry/usage/totals.ts';
import { conditionTable, conditionText } from '../supervisor/condition.ts';
import type { Output } from '../terminal/output.ts';
import { type Column, renderTable } from '../terminal/table.ts';
import { costText } from '../usage/usageView.ts';
import { type InstanceSample, percentile, RATE_WINDOW_MS, type RecentUsage, sumSamples, todayOf } from './sample.ts';

/** The number in the `schema` field: changes when a program that reads the JSON has to. */
const SCHEMA = 1;
const NOTHING = '-';
/** Title, header and the empty lines between; the legend comes to it. */
const FRAME_LINES = 4;

/** The orders of the rows, by the word that names them; all but the first begin with the largest figure. */
const sortFigures = {
  name: () => 0,
  'requests a second': ({ recent }) => recent?.requests ?? 0,
  'time to the first word': ({ recent }) => percentile(recent?.firstEvents ?? [], 0.5) ?? 0,
  'errors today': (sample) => todayOf(sample)?.failed ?? 0,
  'cost today': (sample) => todayOf(sample)?.cost ?? 0,
} as const satisfies Record<string, (sample: InstanceSample) => number>;

export type SortOrder = keyof typeof sortFigures;

/** The order that comes after this one, round and round. */
export function nextOrder(order: SortOrder): SortOrder {
  const all = Object.keys(sortFigures) as SortOrder[];
  return all[(all.indexOf(order) + 1) % all.length] ?? 'name';
}

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

/** Whether the provider is asked, by its circuit breaker, or which of several are not. */
function providerText({ circuits }: InstanceSample): string {
  const notClosed = circuits.filter(({ state }) => state !== 'closed');
  if (notClosed.length === 0) return circuits.length === 0 ? NOTHING : 'up';
  const words = notClosed.map(({ provider, state }) => [provider, state === 'open' ? 'down' : 'tried again']);
  return words.map((pair) => pair.filter((word) => word !== undefined).join(' ')).join(', ');
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
  const today = (title: string, dropOrder: number, text: (used: UsageTotals) => string): Column<InstanceSample> => ({
    title,
    align: 'right',
    dropOrder,
    cell: (sample) => {
      const used = todayOf(sample);
      return used === undefined ? NOTHING : text(used);
    },
  });
  const columns: readonly Column<InstanceSample>[] = [
    { title: 'name', cell: ({ name }) => name },
    {
      title: 'state',
      cell: (row) => {
        if (row.condition !== undefined) return conditionText(row.condition, row.restarts);
        return row === total ? '' : 'elsewhere';
      },
      paint: (text, { condition }) => (condition === undefined ? text : paint(conditionTable[condition].colour, text)),
    },
    figure('req/s', undefined, ({ requests }) => rateText(requests)),
    figure('tokens/s', 5, ({ outputTokens }) => rateText(outputTokens)),
    { title: 'active', align: 'right', dropOrder: 4, cell: ({ inFlight }) => String(inFlight) },
    { title: 'queued', align: 'right', dropOrder: 6, cell: ({ waiting }) => String(waiting) },
    figure('first', 1, ({ firstEvents }) => latencyText(firstEvents, 0.5)),
    figure('first p95', 7, ({ firstEvents }) => latencyText(firstEvents, 0.95)),
    figure('whole', 3, ({ durations }) => latencyText(durations, 0.5)),
    figure('whole p95', 9, ({ durations }) => latencyText(durations, 0.95)),
    today('requests', 6, ({ requests }) => String(requests)),
    {
      ...today('errors', 1, ({ failed }) => String(failed)),
      paint: (text, row) => ((todayOf(row)?.failed ?? 0) > 0 ? paint('red', text) : text),
    },
    today('cost', 2, (used) => costText({ ...used, group: '', last: 0 })),
    {
      title: 'provider',
      minimum: 8,
      dropOrder: 8,
      cell: providerText,
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

/** A lower terminal shows instances in place of what the titles mean. */
const FULL_LEGEND_ROWS = 16;
const LEGEND =
  'per second: last minute; first and whole: seconds until the first word and the end, median of the last 5 minutes; errors, cost: today';

/** How large a frame may be, in letters. */
export interface FrameSize {
  readonly columns: number;
  readonly rows: number;
}

/** What stands above the figures where those of today are of all machines. */
export const SHARED_HEADING = 'today: all machines (database); the rest: this machine';

/**
 * The lines of the live view: never more, and none wider, than the terminal has.
 * @param heading stands beside the time
 */
export function topFrame(
  rows: readonly InstanceSample[],
  now: number,
  paint: Output['paint'],
  { columns, rows: height }: FrameSize,
  order: SortOrder = 'name',
  heading = '',
): string[] {
  const here = rows.filter(({ condition }) => condition !== undefined).length;
  const ready = rows.filter(({ condition }) => condition === 'ready').length;
  const time = new Date(now).toLocaleTimeString('sv-SE');
  const figureOf = sortFigures[order];
  const sorted = [...rows].sort((a, b) => figureOf(b) - figureOf(a));
  const [header = '', ...lines] = topTable(sorted, { paint, columns });
  const keys = `sorted by ${order} (s: next)   q: quit`;
  const legend = (height < FULL_LEGEND_ROWS ? [keys] : [keys, LEGEND]).flatMap((line) => wrapText(line, columns));
  const available = Math.max(1, height - FRAME_LINES - legend.length);
  // The last line is the total.
  const shown = lines.length <= available ? lines : [...lines.slice(0, available - 1), ...lines.slice(-1)];
  return [
    `${time}  ${ready} of ${here} ready${heading === '' ? '' : `  ${terminalSafe(heading)}`}`.slice(0, columns),
    '',
    paint('bold', header),
    ...shown,
    '',
    ...legend.map((line) => paint('gray', line)),
  ].slice(0, height);
}

function latencies(values: readonly number[]) {
  return { p50: percentile(values, 0.5) ?? null, p95: percentile(values, 0.95) ?? null };
}

/** The figures of one instance, or of all together, by the names that programs see. */
export function sampleFields(sample: InstanceSample) {
  const { state, condition, inFlight, waiting, circuits, recent } = sample;
  const today = todayOf(sample);
  return {
    state: state ?? null,
    condition: condition ?? null,
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
      today === undefined
        ? null
        : {
            requests: today.requests,
            failed_requests: today.failed,
            cost_usd: Number(today.cost.toFixed(6)),
            unpriced_requests: today.unpriced,
          },
  };
}

/**
 * The same for programs. Names and meanings are kept as long as `schema` is.
 * @param machines whose figures those of today are
 */
export function topJson(rows: readonly InstanceSample[], now: number, machines: 'this' | 'all' = 'this'): string {
  const instances = rows.map((row) => ({ name: row.name, ...sampleFields(row) }));
  const { state: _state, condition: _condition, circuits: _circuits, ...total } = sampleFields(sumSamples(rows));
  return JSON.stringify({ schema: SCHEMA, at: new Date(now).toISOString(), machines, instances, total }, undefined, 2);
}
