import type { WriteStream } from 'node:tty';
import { countColours } from './consoleColours.ts';
import { type ConsoleView, type ConsoleViewOptions, createConsoleView } from './consoleView.ts';

/** What Node has behind a terminal's stream. */
interface Handle {
  readonly setBlocking?: (isBlocking: boolean) => void;
}

/**
 * Node waits for a terminal at each write, and one that is stopped (Ctrl-S) would stop all requests with it (seen). There is no
 * documented way to have it otherwise; where this one is missing, all is as before.
 */
function doNotWaitFor(stdout: object): void {
  (stdout as { readonly _handle?: Handle | null })._handle?.setBlocking?.(false);
}

/** The view for an output that is a terminal, or that FORCE_COLOR makes one; undefined for any other. */
export function createTerminalView(
  stdout: Pick<WriteStream, 'isTTY' | 'columns'>,
  environment: NodeJS.ProcessEnv,
  facts: Pick<ConsoleViewOptions, 'instance' | 'providers' | 'redact'>,
): ConsoleView | undefined {
  const colours = countColours(stdout.isTTY, environment);
  if (!stdout.isTTY && colours === 0) return undefined;
  if (stdout.isTTY) doNotWaitFor(stdout);
  // A terminal that does not know its width says 0.
  return createConsoleView({ ...facts, colours, columns: () => (stdout.isTTY && stdout.columns) || undefined });
}
