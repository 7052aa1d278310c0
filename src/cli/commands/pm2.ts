import type { Invocation } from '../args.ts';
import { runInForeground } from '../claude/findClaude.ts';
import type { Context } from '../context.ts';
import { pm2Command, pm2TerminalEnvironment } from '../supervisor/pm2.ts';

/** Hands everything on to the PM2 that manages the instances, with an environment in which no secret is. */
export function pm2({ root, environment }: Context, { rest }: Invocation): Promise<number> {
  const [program, ...prefix] = pm2Command(root);
  return runInForeground({
    program,
    words: [...prefix, ...rest],
    directory: root,
    environment: pm2TerminalEnvironment(environment),
  });
}
