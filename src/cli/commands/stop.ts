import type { Invocation } from '../args.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { inspect, listAll } from '../supervisor/inspect.ts';
import { selectInstances } from '../supervisor/instances.ts';
import { withManagerLock } from '../supervisor/lock.ts';
import { isStoppable, stopInstances } from '../supervisor/stop.ts';
import { showStatus } from './status.ts';

/** Stops what runs, after its running answers, and takes it off PM2's list. What does not run is no error. */
export function stop(context: Context, invocation: Invocation): Promise<ExitCode> {
  const { root, output, pm2 } = context;
  return withManagerLock(context, invocation, async () => {
    const { rows, instances } = await listAll(context);
    const selected = selectInstances(root, instances, invocation.names);
    const observations = await inspect(rows, selected);
    for (const observation of observations) {
      if (!isStoppable(observation)) output.say(`${observation.instance.name} does not run`);
    }
    await stopInstances(context, observations.filter(isStoppable));
    if (invocation.json) await showStatus(context, await inspect(await pm2.list(), selected), true);
    return exitCodes.ok;
  });
}
