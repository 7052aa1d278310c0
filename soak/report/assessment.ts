import type { SoakFigures } from '../../scripts/docs/reliability.ts';

const RESIDENT_SLOPE_MAX = 1;
/** A slope per hour says something only of a run that lasted some hours; a shorter one is assessed by what is held on to. */
const SLOPE_COUNTS_FROM_MINUTES = 120;
const HEAP_GROWTH_MAX = 0.05;
const DESCRIPTORS_MAX = 5;

/** What is not as L5 promises. */
export function findProblems(result: SoakFigures): string[] {
  const { requests, minutes, residentMib, heapMib, descriptors, faultsOfOurOwn } = result;
  const problems: string[] = [];
  if (requests.failed > 0) problems.push(`${requests.failed} requests failed`);
  if (faultsOfOurOwn > 0) problems.push(`${faultsOfOurOwn} faults of the proxy’s own in the log`);
  if (minutes >= SLOPE_COUNTS_FROM_MINUTES && residentMib.slopePerHour > RESIDENT_SLOPE_MAX)
    problems.push(`memory grows by ${residentMib.slopePerHour} MiB an hour`);
  if (heapMib.end > heapMib.warm * (1 + HEAP_GROWTH_MAX))
    problems.push(`the heap grew from ${heapMib.warm} to ${heapMib.end} MiB`);
  if (Math.abs(descriptors.after - descriptors.before) > DESCRIPTORS_MAX)
    problems.push(`${descriptors.before} descriptors before, ${descriptors.after} after`);
  return problems;
}
