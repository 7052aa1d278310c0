/** Work in proportion to its input grows sixteen times with sixteen times the input, work by its square 256 times. */
export const LINEAR = 80;

/** Microseconds of processor time of this thread, so that what else the machine does counts for nothing. */
function usedTime(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

/** Long beside the step of the clock. */
const MEASURED_US = 100_000;

function timeOf(work: () => void): number {
  work(); // so that the engine has seen the code
  const start = usedTime();
  let runs = 0;
  let used = 0;
  do {
    work();
    runs += 1;
    used = usedTime() - start;
  } while (used < MEASURED_US);
  return used / runs;
}

/**
 * How many times more the work takes with sixteen times the input; to be compared with LINEAR.
 * @param create makes the input of this size and gives the work on it, which is done again and again
 */
export function growth(create: (size: number) => () => void, size: number): number {
  const small = timeOf(create(size / 16));
  return timeOf(create(size)) / small;
}
