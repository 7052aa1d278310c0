import type { Invocation } from '../args.ts';
import type { Context } from '../context.ts';
import { type ExitCode, worstOf } from '../exitCodes.ts';
import { inspect } from '../supervisor/inspect.ts';
import { isSound, loadInstances, reportProblems, selectInstances } from '../supervisor/instances.ts';
import { withManagerLock } from '../supervisor/lock.ts';
import { setWorkerCount } from '../supervisor/reload.ts';
import { startInstances } from '../supervisor/start.ts';
import { isStoppable, stopInstances } from '../supervisor/stop.ts';
import { showResult } from './start.ts';

/** Stops, after running answers, and starts again. What could not come back, its configuration being wrong, is left running. */
export function restart(context: Context, invocation: Invocation): Promise<ExitCode> {
  const { root, pm2 } = context;
  return withManagerLock(context, invocation, async () => {
    const selected = selectInstances(root, loadInstances(root), invocation.names);
    const code = reportProblems(context, selected);
    const sound = selected.filter(isSound);
    const running = (await inspect(await pm2.list(), sound)).filter(({ nameConflict: rival }) => rival === undefined);
    await stopInstances(context, running.filter(isStoppable));
    const codes = await startInstances(context, await inspect(await pm2.list(), sound));
    for (const { instance, workers: parts } of running) {
      const count = parts.filter(({ row }) => row !== undefined).length;
      if (count > 1) codes.push(await setWorkerCount(context, instance, count));
    }
    await showResult(context, await inspect(await pm2.list(), selected), invocation.json);
    return worstOf([code, ...codes]);
  });
}
