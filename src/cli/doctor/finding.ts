import type { Context } from '../context.ts';
import type { Instance } from '../supervisor/instances.ts';
import type { Observation } from '../supervisor/observe.ts';
import type { Pm2Row } from '../supervisor/pm2.ts';

/** What can be done about a finding without risk. */
export interface Fix {
  /** What is then done, in words: `chmod 600 envs/demo.env`. */
  readonly words: string;
  run(): void;
}

/** One line of the doctor's report. */
export interface Finding {
  readonly check: string;
  /** The instance that it is about; undefined when it is about the machine or all of them. */
  readonly instance?: string;
  readonly result: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** A command, or what else to do. */
  readonly remedy?: string;
  readonly fix?: Fix;
}

interface Further {
  readonly instance?: string;
  readonly remedy?: string;
  readonly fix?: Fix;
}

export const ok = (check: string, detail: string, instance?: string): Finding => ({
  check,
  result: 'ok',
  detail,
  ...(instance === undefined ? {} : { instance }),
});
export const warn = (check: string, detail: string, further: Further = {}): Finding => ({
  check,
  result: 'warn',
  detail,
  ...further,
});
export const fail = (check: string, detail: string, further: Further = {}): Finding => ({
  check,
  result: 'fail',
  detail,
  ...further,
});

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
