import type { OptionName } from '../optionTable.ts';

/** A command as data: arguments are checked against it, help texts and completions are made from it. */
export interface CommandRow {
  readonly summary: string;
  readonly usage: string;
  /** Whether instance names must be given; `all` stands for every one. */
  readonly names: 'required' | 'optional' | 'none';
  /** What the words are when they are not names of instances, or how many there may be. */
  readonly operand?: {
    readonly called: string;
    readonly most?: number;
    /** What they are chosen from, for completion; names of instances when absent. A list is all that there is. */
    readonly from?: 'providers' | 'files' | 'commands' | readonly string[];
  };
  /** Words for another program: those after `--`, or all behind the command but `--help`. */
  readonly handsOn?: 'after --' | 'all';
  readonly options: readonly OptionName[];
  /** Each a command and what it does. */
  readonly examples: readonly (readonly [string, string])[];
  readonly details: string;
}

/** Options that nearly every command has. */
export const common = ['quiet', 'no-color', 'help'] as const;
