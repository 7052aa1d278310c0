import { setTimeout as pause } from 'node:timers/promises';
import { asString } from '../../core/json.ts';
import type { BuildStamp } from '../buildStamp.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes, worstOf } from '../exitCodes.ts';
import { addressOf, describeOutcome } from './explain.ts';
import type { Health } from './health.ts';
import type { Instance } from './instances.ts';
import { codeOfEnd, hasEnded, type LaunchOutcome, lastWords, sizeOf } from './launch.ts';
import { findParts, isRowOf, type Observation, observe } from './observe.ts';
import type { Pm2, Pm2Row } from './pm2.ts';
import { bringUp } from './start.ts';
import { halt, haltPart } from './stop.ts';

const POLL_MS = 40;

/**
 * Starts more processes of an instance beside those that serve, and waits until they serve, too. When one of them does not, all of
 * the new ones are removed again, and those from before go on.
 */
export async function addParts(pm2: Pm2, observation: Observation, count: number): Promise<LaunchOutcome> {
  const { instance, parts } = observation;
  const { app, name } = instance;
  const before = new Set(parts.map(({ health, row }) => health?.pid ?? row?.pid));
  const idsBefore = new Set(parts.map(({ row }) => row?.id));
  const offset = sizeOf(app.out_file);
  const startedAt = performance.now();
  await pm2.add(name, count);
  for (;;) {
    const elapsedMs = performance.now() - startedAt;
    const told = (await findParts(instance)).filter(({ pid, state }) => state === 'serving' && !before.has(pid));
    if (told.length >= count) return { instance, code: exitCodes.ok, elapsedMs, said: [] };
    const added = (await pm2.list()).filter((row) => isRowOf(row, instance) && !idsBefore.has(row.id));
    const ended = added.length < count ? undefined : added.find(hasEnded);
    if (ended !== undefined || elapsedMs > app.listen_timeout) {
      await Promise.all(added.map(({ id }) => pm2.remove(id)));
      return { instance, code: codeOf(ended), elapsedMs, row: ended, said: lastWords(app.out_file, offset) };
    }
    await pause(POLL_MS);
  }
}

function codeOf(ended: Pm2Row | undefined): ExitCode {
  return ended === undefined ? exitCodes.notReady : codeOfEnd(ended);
}

/** Adds processes to an instance that serves, or ends some of them after their running answers, until there are so many. */
export async function setPartCount(context: Context, instance: Instance, count: number): Promise<ExitCode> {
  const { output, pm2 } = context;
  const { name } = instance;
  const [observation] = await observe(await pm2.list(), [instance]);
  const parts = observation?.parts.filter(({ row }) => row !== undefined) ?? [];
  if (observation?.answer?.kind !== 'instance' || !observation.isOurs) return exitCodes.failed;
  if (parts.length === count) return exitCodes.ok;
  if (parts.length > count) {
    await Promise.all(parts.slice(count).map((part) => haltPart(pm2, instance, part)));
    output.say(`${name} has ${count} of ${parts.length} processes left`);
    return exitCodes.ok;
  }
  if (!observation.answer.health.sharesPort) {
    output.complain(`${name} stays one process: several need Linux and a process that was started by ./manage`);
    return exitCodes.failed;
  }
  const outcome = await addParts(pm2, observation, count - parts.length);
  if (outcome.code === exitCodes.ok) output.say(`${name} runs as ${count} processes`);
  else output.complain(describeOutcome(outcome));
  return outcome.code;
}

/**
 * Why new processes cannot stand beside those that run; undefined when they can. PM2 starts one more under the settings that it
 * knows, so that a drain longer than these allow would be cut off.
 */
export function swapObstacle({ instance, parts, row }: Observation): string | undefined {
  if (process.platform !== 'linux') return 'this system cannot share a port';
  if (row === undefined) return 'PM2 does not know it';
  const rows = parts.flatMap((part) => part.row ?? []);
  if (!parts.every(({ health }) => health?.sharesPort)) return 'it runs a build that does not share its port';
  if (rows.some(({ killTimeout }) => killTimeout !== instance.app.kill_timeout))
    return 'PM2 has to learn DRAIN_SECONDS';
  return undefined;
}

/** Puts new processes in the place of those that run. Where the system can do it, no request fails meanwhile. */
export async function swap(context: Context, observation: Observation): Promise<ExitCode> {
  const { output, pm2 } = context;
  const { instance, parts } = observation;
  const { name } = instance;
  const obstacle = swapObstacle(observation);
  if (obstacle !== undefined) {
    output.say(`${name}: stopping and starting again, as ${obstacle}`);
    return startAnew(context, observation);
  }
  const outcome = await addParts(pm2, observation, parts.filter(({ row }) => row !== undefined).length);
  if (outcome.code !== exitCodes.ok) {
    output.complain(`${describeOutcome(outcome)}\n${name}: the processes from before go on`);
    return outcome.code;
  }
  output.say(`${describeOutcome(outcome)}; ending the process before, after its running answers`);
  await Promise.all(parts.map((part) => haltPart(pm2, instance, part)));
  output.say(`${name} reloaded, on ${addressOf(instance)}`);
  return exitCodes.ok;
}

/** Stops an instance after its running answers and starts it again, with as many processes as before. */
export async function startAnew(context: Context, observation: Observation): Promise<ExitCode> {
  const { pm2 } = context;
  const { instance, parts } = observation;
  await halt(pm2, observation);
  const codes = await bringUp(context, await observe(await pm2.list(), [instance]));
  const count = parts.filter(({ row }) => row !== undefined).length;
  return worstOf([...codes, count > 1 ? await setPartCount(context, instance, count) : exitCodes.ok]);
}

/** An instance looks at its files four times a second, and acts when two looks agree. */
const TAKE_OVER_MS = 2000;
const REASON_POLL_MS = 50;

/** Whether a process began before the executable was built that there is now. */
export function isOlderThan({ builtAt }: BuildStamp, { body }: Health): boolean {
  const startedAt = asString(body['started_at']);
  return startedAt !== undefined && startedAt < builtAt;
}

function healthsOf({ parts }: Pick<Observation, 'parts'>): Health[] {
  return parts.flatMap(({ health }) => health ?? []);
}

/** Changed settings that hold only in a new process. */
function restartNeeded({ body }: Health): string[] {
  const names = body['restart_needed'];
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
}

/** Why an instance has to be reloaded, in words; undefined when each of its processes has the present settings and build. */
export async function reloadReason(observation: Observation, stamp: BuildStamp | undefined) {
  const told = await whenTakenOver(observation);
  if (stamp !== undefined && told.some((health) => isOlderThan(stamp, health))) return 'the executable is newer';
  const names = [...new Set(told.flatMap(restartNeeded))];
  if (names.length > 0) return `${names.join(', ')} changed`;
  const { config } = observation.instance;
  return told.some(({ configHash }) => configHash !== config?.hash) ? 'it has not taken over its settings' : undefined;
}

/** What the processes say after they have had the time to take over an edit by themselves. */
async function whenTakenOver(observation: Observation): Promise<Health[]> {
  const { instance } = observation;
  const deadline = performance.now() + TAKE_OVER_MS;
  let told = healthsOf(observation);
  const waits = (health: Health) =>
    health.configHash !== instance.config?.hash && restartNeeded(health).length === 0 && health.sharesPort;
  while (told.some(waits) && performance.now() < deadline) {
    await pause(REASON_POLL_MS);
    told = await findParts(instance);
  }
  return told;
}
