import type { Verdict } from './verdict.ts';

/** One line of the table. */
export interface Row extends Verdict {
  readonly check: string;
  /** How long the check took; undefined when nothing was asked. */
  readonly ms: number | undefined;
}

export function row(check: string, verdict: Verdict, ms?: number): Row {
  return { check, ms, ...verdict };
}
