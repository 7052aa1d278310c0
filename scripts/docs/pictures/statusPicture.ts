import { diagnoseReload, hintLine } from '../../../src/cli/supervisor/diagnosis.ts';
import type { Health } from '../../../src/cli/supervisor/health.ts';
import type { Instance } from '../../../src/cli/supervisor/instances.ts';
import type { State } from '../../../src/cli/supervisor/state.ts';
import { type StatusEntry, statusTable } from '../../../src/cli/views/statusView.ts';
import { PICTURE_TIME, paint, sampleInstances } from './sampleInstances.ts';
import { terminalPicture } from './terminalPicture.ts';

const COLUMNS = 126;
const MINUTE = 60;
const HOUR = 3600;

type Figure = Partial<Health> & Pick<Health, 'pid'>;

/** What the instances report of themselves, in their order; the one without has been stopped. */
const figures: readonly (Figure | undefined)[] = [
  { pid: 4127, uptime_seconds: 6.4 * HOUR, memory_bytes: 98e6, requests: { total: 12, failed: 0 } },
  { pid: 4131, uptime_seconds: 6.4 * HOUR, memory_bytes: 104e6, requests: { total: 318, failed: 0 } },
  { pid: 4893, uptime_seconds: 3.2 * HOUR, memory_bytes: 121e6, requests: { total: 1904, failed: 2 } },
  {
    pid: 5210,
    uptime_seconds: 52 * MINUTE,
    memory_bytes: 109e6,
    requests: { total: 466, failed: 1 },
    last_error: { at: new Date(PICTURE_TIME - 11 * MINUTE * 1000).toISOString(), status: 429, message: 'slow down' },
    restart_needed: ['PORT'],
  },
  undefined,
];

function healthOf({ name, config }: Instance, figure: Figure): Health {
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

function entryOf(instance: Instance, figure: Figure | undefined): StatusEntry {
  const health = figure && healthOf(instance, figure);
  const answer = health === undefined ? ({ kind: 'closed' } as const) : ({ kind: 'instance', health } as const);
  const isOurs = health !== undefined;
  const inspection = { instance, row: undefined, nameConflict: undefined, answer, isOurs, workers: [] };
  const state: State = health === undefined ? 'stopped' : 'serving';
  const hint = diagnoseReload(inspection);
  return { inspection, state, health, hint: hint && hintLine(instance.name, hint) };
}

/** docs/pictures/status.svg: what `./manage status` prints of instances as they may be. */
export function statusPicture(): string {
  const entries = sampleInstances().map((instance, index) => entryOf(instance, figures[index]));
  const table = statusTable(entries, { paint, columns: COLUMNS }).split('\n');
  return terminalPicture('./manage status', [...table, ...entries.flatMap(({ hint }) => hint ?? [])], COLUMNS);
}
