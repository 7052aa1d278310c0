/** How the requests of all users ended. */
export interface Tally {
  /** Whole and correct answers. */
  answered: number;
  /** Answers that the user broke off. */
  aborted: number;
  /** Faults of the provider that were reported as they should be. */
  faults: number;
  /** Requests that met a process which was just leaving and were sent again. */
  refused: number;
  /** What should not have happened. */
  failed: number;
  /** Words about the first of them. */
  readonly failures: string[];
}

const FAILURES_SHOWN = 20;

export function createTally(): Tally {
  return { answered: 0, aborted: 0, faults: 0, refused: 0, failed: 0, failures: [] };
}

export function addFailure(tally: Tally, what: string): void {
  tally.failed += 1;
  if (tally.failures.length < FAILURES_SHOWN) tally.failures.push(`${new Date().toISOString()} ${what}`);
}

export function totalOf({ answered, aborted, faults, failed }: Tally): number {
  return answered + aborted + faults + failed;
}
