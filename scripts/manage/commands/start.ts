import { terminalSafe } from '../../../src/core/text.ts';
import type { Invocation } from '../args.ts';
import { bringUp, stepFor } from '../bringUp.ts';
import { checkNames } from '../checkNames.ts';
import type { Context } from '../context.ts';
import { type ExitCode, worstOf } from '../exitCodes.ts';
import { createEnvFiles } from '../firstRun.ts';
import { describeIgnoredEnvFiles } from '../ignoredEnvFiles.ts';
import { isSound, loadInstances, selectInstances } from '../instances.ts';
import { type Observation, observe } from '../observe.ts';
import { setPartCount } from '../setPartCount.ts';
import { isUp } from '../state.ts';
import { tellProblems } from '../tellProblems.ts';
import { useLine } from '../useLine.ts';
import { withManagerLock } from '../withManagerLock.ts';
import { showStatus } from './status.ts';

/** Starts what does not run, waits until it answers, shows the status and how to use it. */
export function start(context: Context, invocation: Invocation): Promise<ExitCode> {
  const { root, output, pm2 } = context;
  return withManagerLock(context, invocation, async () => {
    checkNames(root, invocation.names);
    const created = createEnvFiles(root, invocation.names);
    if (created.length > 0) {
      const files = created.map((name) => `envs/${name}.env`).join(', ');
      output.say(
        `Made ${files} from the examples. Put your keys there; without one, the client's own key is passed on.`,
      );
    }
    const instances = loadInstances(root);
    for (const line of describeIgnoredEnvFiles(root, instances)) output.say(terminalSafe(line));
    const selected = selectInstances(root, instances, invocation.names);
    const code = tellProblems(context, selected);
    const observations = await observe(await pm2.list(), selected);
    const codes = await bringUp(
      context,
      observations.filter(({ instance }) => isSound(instance)),
    );
    if (invocation.processes !== undefined) {
      for (const instance of selected.filter(isSound)) {
        codes.push(await setPartCount(context, instance, invocation.processes));
      }
    }
    const isUnchanged = observations.every((observation) => ['keep', 'refuse'].includes(stepFor(observation)));
    const result =
      isUnchanged && invocation.processes === undefined ? observations : await observe(await pm2.list(), selected);
    await showResult(context, result, invocation.json);
    return worstOf([code, ...codes]);
  });
}

/** The end of `start` and `restart`: the table, and the line to copy for the first instance that is up. */
export async function showResult(context: Context, observations: readonly Observation[], json: boolean): Promise<void> {
  const entries = await showStatus(context, observations, json);
  const usable = entries.find(({ state }) => isUp(state))?.observation.instance;
  if (usable !== undefined) context.output.say(useLine(usable));
}
