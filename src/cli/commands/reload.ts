import type { Invocation } from '../args.ts';
import { readStamp } from '../buildStamp.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes, worstOf } from '../exitCodes.ts';
import { isSound, loadInstances, selectInstances, tellProblems } from '../supervisor/instances.ts';
import { withManagerLock } from '../supervisor/lock.ts';
import { type Observation, observe } from '../supervisor/observe.ts';
import { reloadReason, swap } from '../supervisor/reload.ts';
import { isUp, judge } from '../supervisor/state.ts';
import { showResult } from './start.ts';

/** Puts new processes in the place of those that have an older build or settings; the rest is left alone. */
export function reload(context: Context, invocation: Invocation): Promise<ExitCode> {
  const { root, pm2, output } = context;
  return withManagerLock(context, invocation, async () => {
    const selected = selectInstances(root, loadInstances(root), invocation.names);
    const code = tellProblems(context, selected);
    const stamp = await readStamp(root);
    const reloadOne = async (observation: Observation): Promise<ExitCode> => {
      const { name } = observation.instance;
      const isRunning = observation.rival === undefined && isUp(judge(observation));
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
      return swap(context, observation);
    };
    const codes = await Promise.all((await observe(await pm2.list(), selected.filter(isSound))).map(reloadOne));
    await showResult(context, await observe(await pm2.list(), selected), invocation.json);
    return worstOf([code, ...codes]);
  });
}
