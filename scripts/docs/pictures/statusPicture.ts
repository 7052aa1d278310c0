import { describeReload, remarkLine } from '../../../src/cli/supervisor/explain.ts';
import type { Health } from '../../../src/cli/supervisor/health.ts';
import type { Instance } from '../../../src/cli/supervisor/instances.ts';
import type { State } from '../../../src/cli/supervisor/state.ts';
import { type StatusEntry, statusTable } from '../../../src/cli/views/statusView.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { PICTURE_TIME, paint, sampleInstances } from './sampleInstances.ts';
import { terminalPicture } from './terminalPicture.ts';

const COLUMNS = 126;
const MINUTE = 60;
const HOUR = 3600;

/** What the instances say of themselves, in their order; the one without has been stopped. */
const figures: readonly (JsonObject | undefined)[] = [
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

function healthOf({ name, config }: Instance, figure: JsonObject): Health {
  const body = {
    models: { ...config?.tiers },
    provider: { name: config?.provider.preset.name ?? name },
    key: config?.provider.key.source ?? '',
    ...figure,
  };
  return {
    instance: name,
    pid: Number(figure['pid']),
    state: 'serving',
    configHash: config?.hash,
    sharesPort: true,
    body,
  };
}

function entryOf(instance: Instance, figure: JsonObject | undefined): StatusEntry {
  const health = figure && healthOf(instance, figure);
  const answer = health === undefined ? ({ kind: 'silent' } as const) : ({ kind: 'instance', health } as const);
  const observation = { instance, row: undefined, rival: undefined, answer, isOurs: health !== undefined, parts: [] };
  const state: State = health === undefined ? 'stopped' : 'serving';
  const news = describeReload(observation);
  return { observation, state, health, remark: news && remarkLine(instance.name, news) };
}

/** docs/pictures/status.svg: what `./manage status` prints of instances as they may be. */
export function statusPicture(): string {
  const entries = sampleInstances().map((instance, index) => entryOf(instance, figures[index]));
  const table = statusTable(entries, { paint, columns: COLUMNS }).split('\n');
  return terminalPicture('./manage status', [...table, ...entries.flatMap(({ remark }) => remark ?? [])], COLUMNS);
}
