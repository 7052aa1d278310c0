import { addParts } from './addParts.ts';
import { bringUp } from './bringUp.ts';
import type { Context } from './context.ts';
import { type ExitCode, exitCodes, worstOf } from './exitCodes.ts';
import { addressOf, describeOutcome } from './explain.ts';
import { halt, haltPart } from './halt.ts';
import { type Observation, observe } from './observe.ts';
import { setPartCount } from './setPartCount.ts';

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
