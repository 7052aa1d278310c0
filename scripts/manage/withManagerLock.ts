import type { Invocation } from './args.ts';
import type { Context } from './context.ts';
import { withLock } from './lock.ts';

/** Long enough for another command that waits for running answers to end. */
const LOCK_TIMEOUT_MS = 180_000;

/** Does the work of a command that changes something while no other command of this project does. */
export function withManagerLock<T>(
  context: Context,
  { command, names }: Invocation,
  work: () => Promise<T>,
): Promise<T> {
  const options = {
    purpose: [command, ...names].join(' '),
    timeoutMs: LOCK_TIMEOUT_MS,
    onWait: (holder: string) => context.output.say(`Waiting for ${holder}.`),
  };
  return withLock(context.root, options, work);
}
