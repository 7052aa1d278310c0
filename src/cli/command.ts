import type { CommandSpec } from './commandSpec.ts';
import type { Context } from './context.ts';
import type { OptionName, OptionValues } from './options.ts';

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
