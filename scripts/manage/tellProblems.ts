import { formatProblems } from '../../src/config/describe.ts';
import type { Context } from './context.ts';
import { type ExitCode, exitCodes } from './exitCodes.ts';
import { type Instance, isSound } from './instances.ts';

/** Tells all problems of all env files at once; the code says whether an instance cannot start because of one. */
export function tellProblems({ output }: Context, instances: readonly Instance[]): ExitCode {
  const problems = instances.flatMap((instance) => instance.problems);
  if (problems.length > 0) output.complain(formatProblems(problems));
  return instances.every(isSound) ? exitCodes.ok : exitCodes.configuration;
}
