import type { Invocation } from '../args.ts';
import type { Context } from '../context.ts';
import { type ExitCode, worstOf } from '../exitCodes.ts';
import { isSound, loadInstances, selectInstances, tellProblems } from '../supervisor/instances.ts';
import { withManagerLock } from '../supervisor/lock.ts';
import { observe } from '../supervisor/observe.ts';
import { setPartCount } from '../supervisor/reload.ts';
import { bringUp } from '../supervisor/start.ts';
import { haltAll, isHaltable } from '../supervisor/stop.ts';
import { showResult } from './start.ts';

/** Stops, after running answers, and starts again. What could not come back, its configuration being wrong, is left running. */
export function restart(context: Context, invocation: Invocation): Promise<ExitCode> {
  const { root, pm2 } = context;
  return withManagerLock(context, invocation, async () => {
    const selected = selectInstances(root, loadInstances(root), invocation.names);
    const code = tellProblems(context, selected);
    const sound = selected.filter(isSound);
    const running = (await observe(await pm2.list(), sound)).filter(({ rival }) => rival === undefined);
    await haltAll(context, running.filter(isHaltable));
    const codes = await bringUp(context, await observe(await pm2.list(), sound));
    for (const { instance, parts } of running) {
      const count = parts.filter(({ row }) => row !== undefined).length;
      if (count > 1) codes.push(await setPartCount(context, instance, count));
    }
    await showResult(context, await observe(await pm2.list(), selected), invocation.json);
    return worstOf([code, ...codes]);
  });
}
