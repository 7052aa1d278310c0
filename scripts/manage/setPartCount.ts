import { addParts } from './addParts.ts';
import type { Context } from './context.ts';
import { type ExitCode, exitCodes } from './exitCodes.ts';
import { describeOutcome } from './explain.ts';
import { haltPart } from './halt.ts';
import type { Instance } from './instances.ts';
import { observe } from './observe.ts';

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
