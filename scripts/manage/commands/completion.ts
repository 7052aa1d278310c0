import type { Invocation } from '../args.ts';
import { bashCompletion } from '../completion/bash.ts';
import { completionShells } from '../completion/completionShells.ts';
import { fishCompletion } from '../completion/fish.ts';
import { zshCompletion } from '../completion/zsh.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';

const writers = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** Prints the completion script of a shell. */
export async function completion({ root, output }: Context, { names: [name] }: Invocation): Promise<ExitCode> {
  const shell = completionShells.find((known) => known === name) ?? 'bash';
  output.print(writers[shell](root));
  return exitCodes.ok;
}
