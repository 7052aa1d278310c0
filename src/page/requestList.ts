import type { RequestRow } from '../cli/ui/records.ts';
import type { Choices } from './viewAddress.ts';

/**
 * The rows of a live list, newest first and bounded. While it is paused, new rows wait; shown together they are as complete as if
 * they had come one by one: of what is more than the list holds the oldest goes, never one in between.
 */
export interface RecentRows<Row> {
  readonly shown: readonly Row[];
  /** What has come during the pause, newest first. */
  readonly waiting: readonly Row[];
  /** How many have come during the pause, also of those that the list can no longer hold. */
  readonly waitingCount: number;
  readonly isPaused: boolean;
}

export function startRows<Row>(rows: readonly Row[]): RecentRows<Row> {
  return { shown: rows, waiting: [], waitingCount: 0, isPaused: false };
}

/** @param added in the order of time @param most rows that the list holds */
export function addRows<Row>(list: RecentRows<Row>, added: readonly Row[], most: number): RecentRows<Row> {
  if (added.length === 0) return list;
  const newest = added.slice(-most).reverse();
  if (list.isPaused) {
    const waiting = [...newest, ...list.waiting].slice(0, most);
    return { ...list, waiting, waitingCount: list.waitingCount + added.length };
  }
  return { ...list, shown: [...newest, ...list.shown].slice(0, most) };
}

export function pauseRows<Row>(list: RecentRows<Row>): RecentRows<Row> {
  return list.isPaused ? list : { ...list, isPaused: true };
}

/** Shows what has waited. */
export function resumeRows<Row>(list: RecentRows<Row>, most: number): RecentRows<Row> {
  const shown = list.waiting.length === 0 ? list.shown : [...list.waiting, ...list.shown].slice(0, most);
  return { shown, waiting: [], waitingCount: 0, isPaused: false };
}

/**
 * Without the rows of log files that were deleted.
 * @param oldest when the logs of each instance begin; one that is missing has none any more
 */
export function keepRows(
  list: RecentRows<RequestRow>,
  oldest: Readonly<Record<string, string>>,
): RecentRows<RequestRow> {
  const isKept = ({ instance, time }: RequestRow) => oldest[instance] !== undefined && time >= oldest[instance];
  if (list.shown.every(isKept) && list.waiting.every(isKept)) return list;
  const waiting = list.waiting.filter(isKept);
  const waitingCount = list.waitingCount - (list.waiting.length - waiting.length);
  return { ...list, shown: list.shown.filter(isKept), waiting, waitingCount };
}

/** The filters of the list, by their names in the address and in the query to the server. */
export const filterNames = [
  'instance',
  'model',
  'status',
  'session',
  'agent',
  'client',
  'error',
  'slower',
  'costlier',
] as const;

export type FilterName = (typeof filterNames)[number];

/** The choices that are filters of the list. */
export function filtersOf(choices: Choices): Readonly<Partial<Record<FilterName, string>>> {
  const pairs = filterNames.flatMap((name) => (choices[name] ? [[name, choices[name]]] : []));
  return Object.fromEntries(pairs);
}

/** Whether a row that has just come belongs into the list, as the server decides for those of before. */
export function matchesFilters(row: RequestRow, choices: Choices): boolean {
  const { instance, model, status, session, agent, client, error, slower, costlier } = filtersOf(choices);
  return (
    (instance === undefined || row.instance === instance) &&
    (model === undefined || row.model === model || row.upstream_model === model) &&
    (status === undefined || hasStatus(row, status)) &&
    (session === undefined || row.session === session) &&
    (agent === undefined || hasAgent(row, agent)) &&
    (client === undefined || row.client === client) &&
    (error === undefined || hasErrorText(row, error)) &&
    (slower === undefined || row.duration_ms > Number(slower)) &&
    (costlier === undefined || (row.cost !== null && row.cost > Number(costlier)))
  );
}

function hasStatus({ status, outcome }: RequestRow, wanted: string): boolean {
  if (wanted === 'failed') return outcome === 'error' || outcome === 'interrupted' || outcome === 'rejected';
  if (wanted.endsWith('xx')) return Math.floor(status / 100) === Number(wanted.slice(0, 1));
  return outcome === wanted || String(status) === wanted;
}

function hasAgent({ agent }: RequestRow, wanted: string): boolean {
  if (wanted === 'any') return agent !== null;
  return wanted === 'none' ? agent === null : agent === wanted;
}

function hasErrorText({ error_type: type, error_message: message }: RequestRow, wanted: string): boolean {
  return type !== null && `${type} ${message ?? ''}`.toLowerCase().includes(wanted.toLowerCase());
}
