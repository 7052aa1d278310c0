import { median } from '../../bench/report/statistics.ts';
import type { SoakFigures } from '../../scripts/docs/reliability.ts';
import type { SoakRun } from '../soak.ts';
import type { Sample } from './sample.ts';

const SECONDS_PER_HOUR = 3600;
/** Memory counts once pools, caches and compiled code have reached their size: after half an hour, or a quarter of a shorter run. */
const WARM_UP_MINUTES = 30;
/** The first and the last part of what counts stand for the beginning and for the end, by their medians: peaks come and go. */
const PART = 4;

const round = (value: number) => Math.round(value * 10) / 10;

function describe(samples: readonly Sample[], read: (sample: Sample) => number | undefined) {
  const points = samples.flatMap((sample) => {
    const value = read(sample);
    return value === undefined ? [] : [{ hours: sample.at / SECONDS_PER_HOUR, value }];
  });
  const length = Math.ceil(points.length / PART);
  const middle = (some: typeof points) => ({
    hours: median(some.map(({ hours }) => hours)) ?? 0,
    value: median(some.map(({ value }) => value)) ?? 0,
  });
  const [warm, end] = [middle(points.slice(0, length)), middle(points.slice(-length))];
  const hours = end.hours - warm.hours;
  return {
    warm: round(warm.value),
    end: round(end.value),
    slopePerHour: hours > 0 ? round((end.value - warm.value) / hours) : 0,
  };
}

export function warmUpOf(minutes: number): number {
  return Math.min(WARM_UP_MINUTES, minutes / 4);
}

/** The figures of a run. */
export function summarizeSoak(
  run: SoakRun,
  { date, machine, minutes, users }: Pick<SoakFigures, 'date' | 'machine' | 'minutes' | 'users'>,
): SoakFigures {
  const warmUpMinutes = warmUpOf(minutes);
  const warm = run.samples.filter(({ at }) => at >= warmUpMinutes * 60);
  const { failures: _, ...requests } = run.tally;
  return {
    date,
    machine,
    minutes,
    users,
    requests,
    edits: run.edits,
    brokenEdits: run.brokenEdits,
    rollingReloads: run.rollingReloads,
    rotatedLogs: run.rotatedLogs,
    warmUpMinutes,
    residentMib: describe(warm, ({ residentMib }) => residentMib),
    heapMib: describe(warm, ({ heapMib }) => heapMib),
    descriptors: run.descriptors,
    timers: run.timers,
    faultsOfOurOwn: run.faultsOfOurOwn,
  };
}
