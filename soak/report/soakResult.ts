import type { Tally } from '../load/tally.ts';

/** Figures of one run, as they are kept in docs/soak.json. */
export interface SoakResult {
  /** Day of the run, like 2026-11-20. */
  readonly date: string;
  readonly machine: string;
  readonly minutes: number;
  readonly users: number;
  readonly requests: Omit<Tally, 'failures'>;
  readonly reloads: number;
  readonly brokenEdits: number;
  readonly restarts: number;
  readonly rotatedLogs: number;
  /** Minutes at the beginning that do not count for the slopes. */
  readonly warmUpMinutes: number;
  readonly residentMib: { readonly warm: number; readonly end: number; readonly slopePerHour: number };
  /** After collections. */
  readonly heapMib: { readonly warm: number; readonly end: number; readonly slopePerHour: number };
  /** Before the load and 70 s after it. */
  readonly descriptors: { readonly before: number; readonly after: number };
  readonly timers: { readonly before: number; readonly after: number };
  readonly faultsOfOurOwn: number;
}
