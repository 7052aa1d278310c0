import { existsSync } from 'node:fs';
import type { Context } from './context.ts';
import { type ExitCode, exitCodes, Failure } from './exitCodes.ts';
import { addressOf, describeOutcome, explain } from './explain.ts';
import { halt, haltPart } from './halt.ts';
import { launch } from './launch.ts';
import type { Observation } from './observe.ts';
import { judge, type State } from './state.ts';

/** What `start` does with an instance that it finds in a state. */
type Step = 'keep' | 'await' | 'launch' | 'relaunch' | 'refuse';

const steps: Readonly<Record<State, Step>> = {
  serving: 'keep',
  running: 'keep',
  starting: 'await',
  'not answering': 'await',
  'not started': 'launch',
  stopped: 'relaunch',
  'backing off': 'relaunch',
  failed: 'relaunch',
  draining: 'relaunch',
  unsupervised: 'relaunch',
  'port taken': 'refuse',
  'name taken': 'refuse',
};

/** What to do with an instance; PM2 acts on names, so another app of the same name forbids every start. */
export function stepFor(observation: Observation): Step {
  const step = steps[judge(observation)];
  if (step === 'await' && (observation.row?.restarts ?? 0) > 0) return 'relaunch';
  return observation.rival !== undefined && step !== 'keep' ? 'refuse' : step;
}

/**
 * Makes all instances run and answer, telling what happened to each. What serves is left alone; what PM2 has lost or given
 * up is ended first, so that it comes back under PM2 with its present settings.
 */
export async function bringUp(context: Context, observations: readonly Observation[]): Promise<ExitCode[]> {
  const { output, pm2 } = context;
  const codes: ExitCode[] = [];
  const all = (step: Step) => observations.filter((observation) => stepFor(observation) === step);

  for (const observation of all('keep')) {
    const remark = await explain(observation, judge(observation));
    output.say(remark ?? `${observation.instance.name} already up on ${addressOf(observation.instance)}`);
    await endStrays(context, observation);
  }
  for (const observation of all('refuse')) {
    const state = judge(observation);
    output.complain((await explain(observation, state)) ?? state);
    codes.push(state === 'port taken' ? exitCodes.configuration : exitCodes.failed);
  }
  await Promise.all(all('relaunch').map((observation) => halt(pm2, observation)));

  const toStart = [...all('launch'), ...all('relaunch')].map(({ instance }) => instance);
  const toAwait = all('await').map(({ instance }) => instance);
  for (const { app } of toStart) {
    if (!existsSync(app.script)) throw new Failure(`${app.script} is missing; make it with: npm run build`);
  }
  if (toStart.length + toAwait.length === 0) return codes;
  await launch(pm2, toStart, toAwait, (outcome) => {
    codes.push(outcome.code);
    if (outcome.code === exitCodes.ok) output.say(describeOutcome(outcome));
    else output.complain(describeOutcome(outcome));
  });
  return codes;
}

/** Ends what serves beside the processes that PM2 knows: those from before the death of its daemon, when others were started since. */
async function endStrays({ pm2, output }: Context, { instance, parts }: Observation): Promise<void> {
  if (parts.every(({ row }) => row === undefined)) return;
  for (const part of parts.filter(({ row }) => row === undefined)) {
    await haltPart(pm2, instance, part);
    output.say(`${instance.name}: ended pid ${part.health?.pid}, which PM2 did not know`);
  }
}
