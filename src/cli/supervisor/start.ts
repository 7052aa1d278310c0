import { existsSync } from 'node:fs';
import type { Config } from '../../config/config.ts';
import type { Invocation } from '../command.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes, Failure, worstOf } from '../exitCodes.ts';
import { addressOf, describeOutcome, explain } from './explain.ts';
import { askPort } from './health.ts';
import { createEnvFiles, type Instance, isSound, loadInstances, selectInstances, tellProblems } from './instances.ts';
import { launch } from './launch.ts';
import { withManagerLock } from './lock.ts';
import { type Observation, observe } from './observe.ts';
import { hasOlderSettings, judge, type State } from './state.ts';
import { halt, haltPart } from './stop.ts';

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

/** Whether the project's own process serves, which the port and its command prove without PM2. */
function isServing({ answer, isOurs }: Observation): boolean {
  return answer?.kind === 'instance' && isOurs && answer.health.state === 'serving';
}

/** Whether clients find it where the env file now says; a changed port holds from a restart on. */
async function isAtItsPort({ name }: Instance, { host, port }: Config): Promise<boolean> {
  const answer = await askPort(host, port);
  return answer.kind === 'instance' && answer.health.instance === name;
}

/**
 * The one instance of that name with its configuration.
 * @throws Failure when there is none, or its env file is wrong.
 */
export function loadInstance(context: Context, name: string): { instance: Instance; config: Config } {
  const [instance] = selectInstances(context.root, loadInstances(context.root), [name]);
  const config = instance?.config;
  if (instance === undefined || config === undefined || !isSound(instance)) {
    if (instance !== undefined) tellProblems(context, [instance]);
    throw new Failure(`envs/${name}.env has to be mended first`, exitCodes.configuration);
  }
  return { instance, config };
}

/**
 * Makes one instance answer, unless it does already, and waits until it does.
 * @returns its configuration
 * @throws Failure when it does not come up; why has been told by then.
 */
export async function ensureUp(context: Context, invocation: Invocation, name: string): Promise<Config> {
  const { root, output, pm2 } = context;
  const created = createEnvFiles(root, [name]);
  if (created.length > 0) output.say(`Made envs/${name}.env from its example. Put your key there.`);
  const { instance, config } = loadInstance(context, name);
  const [now] = await observe([], [instance]);
  const elsewhere = `${name} does not listen on ${addressOf(instance)} yet; for its new address: ./manage reload ${name}`;
  if (now !== undefined && isServing(now)) {
    if (!(await isAtItsPort(instance, config))) throw new Failure(elsewhere);
    const remark = hasOlderSettings(now) ? await explain(now, 'serving') : undefined;
    if (remark !== undefined) output.say(remark);
    return config;
  }
  const codes = await withManagerLock(context, invocation, async () =>
    bringUp(context, await observe(await pm2.list(), [instance])),
  );
  const code = worstOf(codes);
  if (code !== exitCodes.ok) throw new Failure(`${name} is not up; see ./manage logs ${name}`, code);
  if (await isAtItsPort(instance, config)) return config;
  throw new Failure(elsewhere);
}
