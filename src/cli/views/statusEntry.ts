import { type ConditionReport, describeCondition } from '../supervisor/condition.ts';
import { combineHealth, type Health } from '../supervisor/health.ts';
import type { Inspection, Worker } from '../supervisor/inspect.ts';
import { hasRun, isSound } from '../supervisor/instances.ts';
import { deriveState, diagnose, type Hint, hintLine, type State } from '../supervisor/state.ts';

/** One instance as `status` shows it. */
export interface StatusEntry {
  readonly inspection: Inspection;
  readonly state: State;
  /** What the instance reports of itself; undefined when it does not answer. */
  readonly health: Health | undefined;
  /** Whether it can be used, and why not. */
  readonly report: ConditionReport;
  /** What a user should know besides the state, in a line. */
  readonly hint: string | undefined;
  /** The same, apart from what helps. */
  readonly diagnosis?: Hint | undefined;
}

/** What there is to say of an instance, as it was found. */
export async function describeEntry(inspection: Inspection): Promise<StatusEntry> {
  const { answer, isOurs, workers, instance, row } = inspection;
  const state = deriveState(inspection);
  const reports = workers.flatMap((worker) => worker.health ?? []);
  const health = answer?.kind === 'instance' && isOurs ? combineHealth(answer.health, reports) : undefined;
  const report = describeCondition({
    instance,
    state,
    health,
    row,
    isSound: isSound(instance),
    hasRun: hasRun(instance),
  });
  const diagnosis = await diagnose(inspection, state);
  const hint = diagnosis && hintLine(instance.name, diagnosis);
  // Who has the port stands below every table, as the word alone does not help.
  return {
    inspection,
    state,
    health,
    report: state === 'port taken' ? { ...report, hint: diagnosis } : report,
    hint,
    diagnosis,
  };
}

/** The number in a `schema` field: changes when a program that reads the JSON has to. */
const SCHEMA = 1;
/** The same for programs. Names and meanings are kept as long as `schema` is. */
export function statusJson(entries: readonly StatusEntry[], page: RunningPage | undefined): string {
  return JSON.stringify({ schema: SCHEMA, instances: entries.map(entryFields), page: page ?? null }, undefined, 2);
}

/** The page of this checkout that is served now. */
export interface RunningPage {
  readonly port: number;
  readonly pid: number;
  /** Whether PM2 keeps it. */
  readonly background: boolean;
}

/** One instance by the names that programs see. */
export function entryFields(entry: StatusEntry) {
  const { health, state, hint, report } = entry;
  const { instance, row, unit, workers } = entry.inspection;
  return {
    name: instance.name,
    env_file: instance.app.args[1],
    host: instance.config?.host ?? null,
    port: portOf(entry),
    state,
    condition: report.condition,
    condition_reason: report.hint?.problem ?? null,
    condition_remedy: report.hint?.remedy ?? null,
    supervised: unit !== undefined || isSupervised(row),
    provider: providerOf(entry),
    providers: health?.providers ?? null,
    models: modelsOf(entry),
    key: keyOf(entry),
    pid: pidOf(entry),
    restarts: row?.restarts ?? null,
    parts: workers.map(workerJson),
    started_at: health?.started_at ?? null,
    uptime_seconds: health?.uptime_seconds ?? null,
    memory_bytes: health?.memory_bytes ?? null,
    version: health?.version ?? null,
    config_hash: health?.config_hash ?? null,
    config_loaded_at: health?.config_loaded_at ?? null,
    config_problems: health?.config_problems ?? [],
    restart_needed: health?.restart_needed ?? [],
    in_flight: health?.in_flight ?? null,
    requests: health?.requests ?? null,
    tokens: health?.tokens ?? null,
    vision: health?.vision ?? null,
    unseen_pictures: health?.unseen_pictures ?? null,
    web_search: health?.web_search ?? null,
    tools: health?.tools ?? null,
    last_success_at: health?.last_success_at ?? null,
    last_error: health?.last_error ?? null,
    remark: hint ?? null,
    problems: instance.problems,
  };
}

/** One process of an instance; the figures of the instance are the sums of these. */
function workerJson({ row, health }: Worker) {
  return {
    part: health?.part ?? null,
    pid: health?.pid ?? (row?.pid || null),
    pm2_id: row?.id ?? null,
    state: health?.state ?? row?.status ?? null,
    supervised: isSupervised(row),
    restarts: row?.restarts ?? null,
    started_at: health?.started_at ?? null,
    uptime_seconds: health?.uptime_seconds ?? null,
    memory_bytes: health?.memory_bytes ?? null,
    in_flight: health?.in_flight ?? null,
    requests: health?.requests ?? null,
    tokens: health?.tokens ?? null,
    last_error: health?.last_error ?? null,
  };
}

function isSupervised(row: Inspection['row']): boolean {
  return row !== undefined && row.pid !== 0;
}

// What holds now when the instance runs, else what its env file asks for.

export function modelsOf({ health, inspection: { instance } }: StatusEntry) {
  const models = health === undefined ? instance.config?.tiers : health.models;
  return { big: models?.big ?? null, middle: models?.middle ?? null, small: models?.small ?? null };
}

export function providerOf({ health, inspection: { instance } }: StatusEntry): string | null {
  return (health === undefined ? instance.config?.provider.preset.name : health.provider?.name) ?? null;
}

export function keyOf({ health, inspection: { instance } }: StatusEntry): string | null {
  return (health === undefined ? instance.config?.provider.key.source : health.key) ?? null;
}

export function pidOf({ health, inspection: { row } }: StatusEntry): number | null {
  return health?.pid ?? (row?.pid || null);
}

/** Where it listens now: the env file may ask for another port already. */
export function portOf({ health, inspection: { instance } }: StatusEntry): number | null {
  return health?.port ?? instance.config?.port ?? null;
}
