import { readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;
/** user, nice, system, irq, softirq and steal of the first line of /proc/stat. */
const BUSY_COLUMNS = [1, 2, 3, 6, 7, 8];
/** utime, stime, cutime and cstime of /proc/self/stat, counted from the state behind the name. */
const OWN_FIELDS = [11, 12, 13, 14];

function sumOf(texts: readonly string[], places: readonly number[]): number {
  return places.reduce((sum, place) => sum + Number(texts[place] ?? 0), 0);
}

function busyTicks(): number {
  const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n', 1);
  return sumOf(line.split(/\s+/), BUSY_COLUMNS);
}

/** This process and those of its children that have ended. */
function ownTicks(): number {
  const text = readFileSync('/proc/self/stat', 'latin1');
  return sumOf(text.slice(text.lastIndexOf(')') + 2).split(' '), OWN_FIELDS);
}

/**
 * Begins to watch the machine. The function that is returned says how many cores were busy on average with the work of others;
 * all processes of the run must have ended by then.
 */
export function watchOtherWork(): () => number {
  const [busy, own, startedAt] = [busyTicks(), ownTicks(), performance.now()];
  return () => {
    const seconds = (performance.now() - startedAt) / 1000;
    return Math.max(0, (busyTicks() - busy - (ownTicks() - own)) / TICKS_PER_SECOND / seconds);
  };
}
