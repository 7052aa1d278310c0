import type { Context } from '../command.ts';
import type { Inspection } from '../supervisor/inspect.ts';
import type { Instance } from '../supervisor/instances.ts';
import type { Pm2Row } from '../supervisor/pm2.ts';

/** What the checks of the doctor work with. */
export interface CheckContext {
  readonly root: string;
  readonly environment: Context['environment'];
  /** In which the user has called. */
  readonly directory: string;
  /** Every instance of the project. */
  readonly all: readonly Instance[];
  /** Of those that were asked for. */
  readonly inspections: readonly Inspection[];
  /** PM2's list, or why there is none. */
  readonly pm2: readonly Pm2Row[] | Error;
  /** In ms since 1970. */
  readonly now: number;
}

/** One line of the doctor's report. */
export interface Finding extends Further {
  readonly check: string;
  readonly result: 'ok' | 'warn' | 'fail';
  readonly detail: string;
}

interface Further {
  /** The instance that it is about; undefined when it is about the machine or all of them. */
  readonly instance?: string;
  /** A command, or what else to do. */
  readonly remedy?: string;
  readonly fix?: Fix;
}

/** What can be done about a finding without risk. */
export interface Fix {
  /** What is then done, in words: `chmod 600 envs/demo.env`. */
  readonly words: string;
  run(): void;
}

type MakeFinding = (detail: string, further?: Further) => Finding;

/** Makes the findings of one check, which goes by this name in the report. */
export function findingsOf(check: string): Readonly<Record<Finding['result'], MakeFinding>> {
  const make =
    (result: Finding['result']): MakeFinding =>
    (detail, further) => ({ check, result, detail, ...further });
  return { ok: make('ok'), warn: make('warn'), fail: make('fail') };
}
