import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Config } from '../../config/config.ts';
import { configFromText } from '../../config/load.ts';
import { terminalSafe } from '../../core/text.ts';
import type { Context, Invocation } from '../command.ts';
import { createEnvFiles } from '../envs/exampleFiles.ts';
import { type ExitCode, exitCodes, Failure, worstOf } from '../exitCodes.ts';
import { queryPort } from './health.ts';
import { type Inspection, inspect, refuseOtherUsers } from './inspect.ts';
import {
  addressOf,
  envFile,
  type Instance,
  isSound,
  loadInstances,
  reportProblems,
  selectInstances,
} from './instances.ts';
import { withManagerLock } from './lock.ts';
import { pm2Home } from './pm2.ts';
import { describeStart, spawnAndWait, stopInstance, stopWorker } from './processes.ts';
import { deriveState, diagnosisLine, hasOlderSettings, type State } from './state.ts';

/** What `start` does with an instance that it finds in a state. */
type Step = 'keep' | 'await' | 'start' | 'restart' | 'refuse';

const steps: Readonly<Record<State, Step>> = {
  serving: 'keep',
  running: 'keep',
  starting: 'await',
  'not answering': 'await',
  'not started': 'start',
  stopped: 'restart',
  'backing off': 'restart',
  failed: 'restart',
  draining: 'restart',
  unsupervised: 'restart',
  'port taken': 'refuse',
  moved: 'restart',
};

/** What to do with an instance. */
export function chooseStep(inspection: Inspection): Step {
  const step = steps[deriveState(inspection)];
  if (step === 'await' && (inspection.row?.restarts ?? 0) > 0) return 'restart';
  return step;
}

/**
 * Makes all instances run and answer, and reports what happened to each. What serves is left alone; what PM2 has lost or given
 * up is stopped first, so that it comes back under PM2 with its present settings.
 */
export async function startAll(context: Context, inspections: readonly Inspection[]): Promise<ExitCode[]> {
  const { output, pm2 } = context;
  const codes: ExitCode[] = [];
  refuseOtherUsers(inspections.filter((inspection) => chooseStep(inspection) !== 'keep'));
  const all = (step: Step) => inspections.filter((inspection) => chooseStep(inspection) === step);

  for (const inspection of all('keep')) {
    const diagnosis = await diagnosisLine(inspection, deriveState(inspection));
    output.say(diagnosis ?? `${inspection.instance.name} already up on ${addressOf(inspection.instance)}`);
    await stopUnsupervised(context, inspection);
  }
  for (const inspection of all('refuse')) {
    output.complain((await diagnosisLine(inspection, 'port taken')) ?? '');
    codes.push(exitCodes.configuration);
  }
  const moved = all('restart').filter(({ movedFrom }) => movedFrom !== undefined);
  for (const { instance, movedFrom = '' } of moved) output.say(takeOverLine(instance, movedFrom));
  if (moved.length > 0) await warnOfSavedList(context);
  await Promise.all(all('restart').map((inspection) => stopInstance(pm2, inspection)));

  const toStart = [...all('start'), ...all('restart')].map(({ instance }) => instance);
  const toAwait = all('await').map(({ instance }) => instance);
  for (const { app } of toStart) {
    if (!existsSync(app.script)) throw new Failure(`${app.script} is missing; make it with: npm run build`);
  }
  if (toStart.length + toAwait.length === 0) return codes;
  const outcomes = spawnAndWait(pm2, toStart, toAwait, (outcome) => {
    codes.push(outcome.code);
    if (outcome.code === exitCodes.ok) output.say(describeStart(outcome));
    else output.complain(describeStart(outcome));
  });
  await output.wait(`starting ${[...toStart, ...toAwait].map(({ name }) => name).join(', ')}`, outcomes);
  return codes;
}

function takeOverLine({ name }: Instance, movedFrom: string): string {
  return `${name}: taking it over from ${terminalSafe(movedFrom)}; what it has logged there since the move stays there`;
}

/** With the machine PM2 would start what was saved, from where the checkout was before. */
async function warnOfSavedList({ environment, output }: Context): Promise<void> {
  const { describeMissing, missingExecutables } = await import('../service/service.ts');
  const missing = missingExecutables(join(pm2Home(environment), 'dump.pm2'));
  if (missing.length > 0) output.say(`${describeMissing(missing)}; then save it anew: ./manage service install`);
}

/** Stops what serves beside the processes that PM2 knows: those from before the death of its daemon, when others were started since. */
async function stopUnsupervised({ pm2, output }: Context, { instance, workers }: Inspection): Promise<void> {
  if (workers.every(({ row }) => row === undefined)) return;
  for (const worker of workers.filter(({ row }) => row === undefined)) {
    await stopWorker(pm2, instance, worker);
    output.say(`${instance.name}: ended pid ${worker.health?.pid}, which PM2 did not know`);
  }
}

/**
 * Makes one instance answer, unless it does already, and waits until it does.
 * @returns its configuration
 * @throws Failure when it does not come up; the reason has been reported by then.
 */
export async function ensureRunning(context: Context, invocation: Invocation, name: string): Promise<Config> {
  const { root, output, pm2 } = context;
  await createEnvFiles(root, [name], output);
  const old = await findOldConfiguration(context, name);
  if (old !== undefined) return old;
  const { instance, config } = loadInstance(context, name);
  const [now] = await inspect([], [instance]);
  const elsewhere = `${name} does not listen on ${addressOf(instance)} yet; for its new address: ./manage reload ${name}`;
  if (now !== undefined && isServing(now)) {
    if (!(await isAtItsPort(instance, config))) throw new Failure(elsewhere);
    const diagnosis = hasOlderSettings(now) ? await diagnosisLine(now, 'serving') : undefined;
    if (diagnosis !== undefined) output.say(diagnosis);
    return config;
  }
  const codes = await withManagerLock(context, invocation, async () =>
    startAll(context, await inspect(await pm2.list(), [instance])),
  );
  const code = worstOf(codes);
  if (code !== exitCodes.ok) throw new Failure(`${name} is not up; see ./manage logs ${name}`, code);
  if (await isAtItsPort(instance, config)) return config;
  throw new Failure(elsewhere);
}

/**
 * The configuration with which an instance serves on although its env file is wrong by now, which is reported: the file without
 * its wrong lines, with the address and the models of which the instance reports. Undefined for one whose file is right, that does
 * not serve, or of which this is not enough.
 */
async function findOldConfiguration(context: Context, name: string): Promise<Config | undefined> {
  const { root, output, pm2 } = context;
  const [instance] = selectInstances(root, loadInstances(root), [name]);
  if (instance === undefined || isSound(instance)) return undefined;
  const [now] = await inspect(await pm2.list(), [instance]);
  if (now?.answer?.kind !== 'instance' || !isServing(now)) return undefined;
  const { host, port, models } = now.answer.health;
  const file = envFile(instance);
  const wrong = new Set(instance.problems.flatMap(({ severity, line }) => (severity === 'error' ? [line] : [])));
  const lines = readFileSync(file, 'utf8').split('\n');
  const text = lines.filter((_line, index) => !wrong.has(index + 1)).join('\n');
  const { config } = configFromText(relative(root, file), text, instance.app.env, root);
  const { big, middle, small } = models ?? {};
  if (!config || wrong.has(undefined) || !host || !port || !big || !middle || !small) return undefined;
  reportProblems(context, [instance]);
  output.complain(`${name} serves its old configuration until envs/${name}.env is right: ./manage edit ${name}`);
  return { ...config, host, port, tiers: { big, middle, small } };
}

/**
 * The one instance of that name with its configuration.
 * @throws Failure when there is none, or its env file is wrong.
 */
export function loadInstance(context: Context, name: string): { instance: Instance; config: Config } {
  const [instance] = selectInstances(context.root, loadInstances(context.root), [name]);
  const config = instance?.config;
  if (instance === undefined || config === undefined || !isSound(instance)) {
    if (instance !== undefined) reportProblems(context, [instance]);
    throw new Failure(`envs/${name}.env has to be repaired first`, exitCodes.configuration);
  }
  return { instance, config };
}

/** Whether the project's own process serves, which the port and its command prove without PM2. */
function isServing({ answer, isOurs }: Inspection): boolean {
  return answer?.kind === 'instance' && isOurs && answer.health.state === 'serving';
}

/** Whether clients find it where the env file now says; a changed port takes effect at a restart. */
async function isAtItsPort({ name }: Instance, { host, port }: Config): Promise<boolean> {
  const answer = await queryPort(host, port);
  return answer.kind === 'instance' && answer.health.instance === name;
}
