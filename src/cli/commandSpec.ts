import type { OptionName } from './options.ts';

/** A command as data: its arguments are checked against it, help texts, pages and completions are made from it. */
export interface CommandSpec {
  readonly usage: string;
  readonly summary: string;
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
  /** In the order of the help text. */
  readonly options: readonly OptionName[];
  /** Two options of which only one may be given. */
  readonly exclusive?: readonly [OptionName, OptionName];
  /** Each a command line and what it does. */
  readonly examples: readonly (readonly [string, string])[];
  readonly details: string;
}

/** The commands by name, in the order of the help text, each loaded when it is asked for. */
export type CommandTable<Loaded extends CommandSpec = CommandSpec> = Readonly<Record<string, () => Promise<Loaded>>>;

/** All commands with their names. */
export function loadCommands(table: CommandTable): Promise<readonly (readonly [name: string, command: CommandSpec])[]> {
  return Promise.all(Object.entries(table).map(async ([name, load]) => [name, await load()] as const));
}
