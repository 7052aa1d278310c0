import { median } from '../../bench/report/statistics.ts';
import type { SoakRun } from '../soak.ts';
import type { Sample } from './sample.ts';
import type { SoakResult } from './soakResult.ts';
import { slopeOf } from './trend.ts';

const SECONDS_PER_HOUR = 3600;
/** Memory counts once pools, caches and compiled code have reached their size: after half an hour, or a quarter of a shorter run. */
const WARM_UP_MINUTES = 30;
/** Samples of which the middle one stands for the beginning and for the end. */
const ENDS = 12;

const round = (value: number) => Math.round(value * 10) / 10;

function describe(samples: readonly Sample[], read: (sample: Sample) => number | undefined) {
  const points = samples.flatMap((sample) => {
    const value = read(sample);
    return value === undefined ? [] : [{ x: sample.at / SECONDS_PER_HOUR, y: value }];
  });
  const middle = (some: typeof points) => round(median(some.map(({ y }) => y)) ?? 0);
  return {
    warm: middle(points.slice(0, Math.min(ENDS, Math.ceil(points.length / 4)))),
    end: middle(points.slice(-Math.min(ENDS, Math.ceil(points.length / 4)))),
    slopePerHour: round(slopeOf(points)),
  };
}

export function warmUpOf(minutes: number): number {
  return Math.min(WARM_UP_MINUTES, minutes / 4);
}

/** The figures of a run. */
export function summarizeSoak(
  run: SoakRun,
  { date, machine, minutes, users }: Pick<SoakResult, 'date' | 'machine' | 'minutes' | 'users'>,
): SoakResult {
  const warmUpMinutes = warmUpOf(minutes);
  const warm = run.samples.filter(({ at }) => at >= warmUpMinutes * 60);
  const { failures: _, ...requests } = run.tally;
  return {
    date,
    machine,
    minutes,
    users,
    requests,
    reloads: run.reloads,
    brokenEdits: run.brokenEdits,
    restarts: run.restarts,
    rotatedLogs: run.rotatedLogs,
    warmUpMinutes,
    residentMib: describe(warm, ({ residentMib }) => residentMib),
    heapMib: describe(warm, ({ heapMib }) => heapMib),
    descriptors: run.descriptors,
    timers: run.timers,
    faultsOfOurOwn: run.faultsOfOurOwn,
  };
}
