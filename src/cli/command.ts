import type { OptionName, OptionValues } from './options.ts';
import type { Pm2 } from './supervisor/pm2.ts';
import type { Output } from './terminal/output.ts';
import type { Prompter } from './terminal/prompt.ts';

/** What a command works with; made once in main.ts, which alone knows the process. */
export interface Context {
  /** The project's directory, absolute. */
  readonly root: string;
  readonly output: Output;
  readonly pm2: Pm2;
  /** The caller's variables; what is started gets of them only what it needs. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Asks the user; undefined when there is no terminal to ask on. */
  readonly prompter: Prompter | undefined;
  /** For help and completion. */
  readonly commands: CommandTable;
}

/** The directory in which the user has called `./manage`, which goes to the project's own before anything else. */
export function callerDirectory(environment: Readonly<Record<string, string | undefined>>): string {
  return environment['INIT_CWD'] || process.cwd();
}

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
    /** What the first word says is to be done, before the others; for completion and as all that there is. */
    readonly actions?: readonly string[];
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

/** What was typed behind `./manage`: the command, its words, and the values of its options. */
export type Invocation<Used extends OptionName = never> = {
  readonly command: string;
  /** Mostly names of instances; none, or `all`, stand for every one. */
  readonly names: readonly string[];
  /** Words for another program, as they are. */
  readonly rest: readonly string[];
} & Pick<OptionValues, Used>;

/** A command of `./manage`. */
export interface Command<Used extends OptionName = OptionName> extends CommandSpec {
  readonly options: readonly Used[];
  /**
   * Carries the command out. What only this needs is imported in here, so that help and completion, which load every command,
   * are quick.
   * @returns the exit status: one of ours, or that of a program that ran in the foreground
   * @throws Failure for what is expected to fail
   */
  run(context: Context, invocation: Invocation<Used>): Promise<number>;
}

/** Types what `run` gets from the options that the command names. */
export function defineCommand<const Used extends OptionName>(command: Command<Used>): Command<Used> {
  return command;
}
