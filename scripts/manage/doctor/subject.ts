import type { Context } from '../context.ts';
import type { Instance } from '../instances.ts';
import type { Observation } from '../observe.ts';
import type { Pm2Row } from '../pm2.ts';

/** What the doctor looks at. */
export interface Subject {
  readonly root: string;
  readonly environment: Context['environment'];
  /** In which the user has called. */
  readonly directory: string;
  /** Every instance of the project. */
  readonly all: readonly Instance[];
  /** Of those that were asked for. */
  readonly observations: readonly Observation[];
  /** PM2's list, or why there is none. */
  readonly pm2: readonly Pm2Row[] | Error;
  /** In ms since 1970. */
  readonly now: number;
}
