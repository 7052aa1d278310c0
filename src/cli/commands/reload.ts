import type { Invocation } from '../args.ts';
import { readStamp } from '../buildStamp.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes, worstOf } from '../exitCodes.ts';
import { type Inspection, inspect } from '../supervisor/inspect.ts';
import { isSound, loadInstances, reportProblems, selectInstances } from '../supervisor/instances.ts';
import { withManagerLock } from '../supervisor/lock.ts';
import { reloadReason, rollingReload } from '../supervisor/reload.ts';
import { deriveState, isUp } from '../supervisor/state.ts';
import { showResult } from './start.ts';

/** Puts new processes in the place of those that have an older build or settings; the rest is left alone. */
export function reload(context: Context, invocation: Invocation): Promise<ExitCode> {
  const { root, pm2, output } = context;
  return withManagerLock(context, invocation, async () => {
    const selected = selectInstances(root, loadInstances(root), invocation.names);
    const code = reportProblems(context, selected);
    const stamp = await readStamp(root);
    const reloadOne = async (observation: Inspection): Promise<ExitCode> => {
      const { name } = observation.instance;
      const isRunning = observation.nameConflict === undefined && isUp(deriveState(observation));
      if (!isRunning) {
        output.say(`${name} does not run; start it with: ./manage start ${name}`);
        return exitCodes.ok;
      }
      const reason = await reloadReason(observation, stamp);
      if (reason === undefined && !invocation.force) {
        output.say(`${name} has the present settings and build (reload it nevertheless with --force)`);
        return exitCodes.ok;
      }
      if (reason !== undefined) output.say(`${name}: ${reason}`);
      return rollingReload(context, observation);
    };
    const codes = await Promise.all((await inspect(await pm2.list(), selected.filter(isSound))).map(reloadOne));
    await showResult(context, await inspect(await pm2.list(), selected), invocation.json);
    return worstOf([code, ...codes]);
  });
}
