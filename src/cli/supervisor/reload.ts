import { setTimeout as pause } from 'node:timers/promises';
import type { BuildStamp } from '../buildStamp.ts';
import type { Context } from '../command.ts';
import { type ExitCode, exitCodes, worstOf } from '../exitCodes.ts';
import type { Health } from './health.ts';
import { type Inspection, inspect, isRowOf, queryAllWorkers } from './inspect.ts';
import { addressOf, type Instance } from './instances.ts';
import type { Pm2, Pm2Row } from './pm2.ts';
import {
  describeStart,
  exitCodeFor,
  hasEnded,
  readLastOutput,
  type StartOutcome,
  sizeOf,
  stopInstance,
  stopWorker,
} from './processes.ts';
import { startAll } from './start.ts';
import { isOlderThanBuild } from './state.ts';

/** Replaces the processes of an instance by new ones. Where the system can do it, no request fails meanwhile. */
export async function rollingReload(context: Context, inspection: Inspection): Promise<ExitCode> {
  const { output, pm2 } = context;
  const { instance, workers } = inspection;
  const { name } = instance;
  const obstacle = rollingReloadObstacle(inspection);
  if (obstacle !== undefined) {
    output.say(`${name}: stopping and starting again, as ${obstacle}`);
    return stopAndStart(context, inspection);
  }
  const count = workers.filter(({ row }) => row !== undefined).length;
  const outcome = await output.wait(`reloading ${name}`, addWorkers(pm2, inspection, count));
  if (outcome.code !== exitCodes.ok) {
    output.complain(`${describeStart(outcome)}\n${name}: the processes from before go on`);
    return outcome.code;
  }
  output.say(`${describeStart(outcome)}; ending the process before, after its running answers`);
  const stopped = workers.map((worker) => stopWorker(pm2, instance, worker));
  await output.wait(`ending what ran before of ${name}`, Promise.all(stopped));
  output.say(`${name} reloaded, on ${addressOf(instance)}`);
  return exitCodes.ok;
}

/**
 * Why new processes cannot run beside the present ones; undefined when they can. PM2 starts one more under the settings that it
 * knows, so that a drain longer than these allow would be cut off.
 */
export function rollingReloadObstacle({ instance, workers, row, movedFrom }: Inspection): string | undefined {
  if (process.platform !== 'linux') return 'this system cannot share a port';
  if (row === undefined) return 'PM2 does not know it';
  if (movedFrom !== undefined) return 'PM2 runs it from where this checkout was before';
  const rows = workers.flatMap((worker) => worker.row ?? []);
  if (!workers.every(({ health }) => health?.shares_port)) return 'it runs a build that does not share its port';
  if (rows.some(({ killTimeout }) => killTimeout !== instance.app.kill_timeout))
    return 'PM2 has to learn DRAIN_SECONDS';
  return undefined;
}

/** Stops an instance after its running answers and starts it again, with as many processes as before. */
async function stopAndStart(context: Context, inspection: Inspection): Promise<ExitCode> {
  const { pm2 } = context;
  const { instance, workers } = inspection;
  await stopInstance(pm2, inspection);
  const codes = await startAll(context, await inspect(await pm2.list(), [instance]));
  const count = workers.filter(({ row }) => row !== undefined).length;
  return worstOf([...codes, count > 1 ? await setWorkerCount(context, instance, count) : exitCodes.ok]);
}

/** Adds processes to an instance that serves, or ends some of them after their running answers, until there are so many. */
export async function setWorkerCount(context: Context, instance: Instance, count: number): Promise<ExitCode> {
  const { output, pm2 } = context;
  const { name } = instance;
  const [inspection] = await inspect(await pm2.list(), [instance]);
  const supervised = inspection?.workers.filter(({ row }) => row !== undefined) ?? [];
  if (inspection?.answer?.kind !== 'instance' || !inspection.isOurs) return exitCodes.failed;
  if (supervised.length === count) return exitCodes.ok;
  if (supervised.length > count) {
    await Promise.all(supervised.slice(count).map((worker) => stopWorker(pm2, instance, worker)));
    output.say(`${name} has ${count} of ${supervised.length} processes left`);
    return exitCodes.ok;
  }
  if (inspection.answer.health.shares_port !== true) {
    output.complain(`${name} stays one process: several need Linux and a process that was started by ./manage`);
    return exitCodes.failed;
  }
  const outcome = await addWorkers(pm2, inspection, count - supervised.length);
  if (outcome.code === exitCodes.ok) output.say(`${name} runs as ${count} processes`);
  else output.complain(describeStart(outcome));
  return outcome.code;
}

const POLL_MS = 40;

/**
 * Starts more processes of an instance beside those that serve, and waits until they serve, too. When one of them does not, all of
 * the new ones are removed again, and those from before go on.
 */
async function addWorkers(pm2: Pm2, { instance, row, workers }: Inspection, count: number): Promise<StartOutcome> {
  const { app } = instance;
  const pidsBefore = new Set(workers.map(({ health, row }) => health?.pid ?? row?.pid));
  const idsBefore = new Set(workers.map(({ row }) => row?.id));
  const offset = sizeOf(app.out_file);
  const startedAt = performance.now();
  await pm2.add(row?.name ?? instance.name, count);
  for (;;) {
    const elapsedMs = performance.now() - startedAt;
    const reports = await queryAllWorkers(instance);
    const serving = reports.filter(({ pid, state }) => state === 'serving' && !pidsBefore.has(pid));
    if (serving.length >= count) return { instance, code: exitCodes.ok, elapsedMs, lastOutput: [] };
    const added = (await pm2.list()).filter((row) => isRowOf(row, instance) && !idsBefore.has(row.id));
    const ended = added.length < count ? undefined : added.find(hasEnded);
    if (ended !== undefined || elapsedMs > app.listen_timeout) {
      await Promise.all(added.map(({ id }) => pm2.remove(id)));
      return { instance, code: codeOf(ended), elapsedMs, row: ended, lastOutput: readLastOutput(app.out_file, offset) };
    }
    await pause(POLL_MS);
  }
}

function codeOf(ended: Pm2Row | undefined): ExitCode {
  return ended === undefined ? exitCodes.notReady : exitCodeFor(ended);
}

/** Why an instance has to be reloaded, in words; undefined when each of its processes has the present settings and build. */
export async function reloadReason(inspection: Inspection, stamp: BuildStamp | undefined) {
  const reports = await awaitApplied(inspection);
  if (stamp !== undefined && reports.some((health) => isOlderThanBuild(stamp, health)))
    return 'the executable is newer';
  const names = new Set(reports.flatMap(({ restart_needed: restartNeeded = [] }) => restartNeeded));
  if (names.size > 0) return `${[...names].join(', ')} changed`;
  const hash = inspection.instance.config?.hash;
  return reports.some((health) => health.config_hash !== hash) ? 'it has not taken over its settings' : undefined;
}

/** An instance checks its files four times a second, and reloads them when two checks agree. */
const APPLY_TIMEOUT_MS = 2000;
const APPLY_POLL_MS = 50;

/** What the processes report after they have had the time to apply an edit by themselves. */
async function awaitApplied({ instance, workers }: Inspection): Promise<Health[]> {
  const deadline = performance.now() + APPLY_TIMEOUT_MS;
  const hash = instance.config?.hash;
  // What it says of a restart counts when it has seen the edit, which its hash shows: until then it may be about the edit before.
  const mayApply = ({ config_hash: itsHash, shares_port: sharesPort }: Health) =>
    itsHash !== hash && sharesPort === true;
  let reports = workers.flatMap(({ health }) => health ?? []);
  while (reports.some(mayApply) && performance.now() < deadline) {
    await pause(APPLY_POLL_MS);
    reports = await queryAllWorkers(instance);
  }
  return reports;
}
