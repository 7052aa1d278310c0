import { setTimeout as pause } from 'node:timers/promises';
import { readCommand } from '../../host/ports.ts';
import type { Context } from '../context.ts';
import { Failure } from '../exitCodes.ts';
import { type Instance, isCommandOf } from './instances.ts';
import type { InstancePart, Observation } from './observe.ts';
import type { Pm2 } from './pm2.ts';

const POLL_MS = 50;

/** Ends several at the same time, telling it before, as running answers may take their time, and after. */
export async function haltAll({ pm2, output }: Context, observations: readonly Observation[]): Promise<void> {
  if (observations.length === 0) return;
  const names = observations.map(({ instance }) => instance.name).join(', ');
  output.say(`Stopping ${names}; running answers may end first.`);
  await Promise.all(
    observations.map(async (observation) => {
      await halt(pm2, observation);
      output.say(`${observation.instance.name} stopped`);
    }),
  );
}

/**
 * Ends what runs of an instance, after its running answers: PM2's apps, which are taken off PM2's list, and processes of ours that
 * PM2 has lost. Nothing happens when nothing runs.
 * @throws Failure when one does not end.
 */
export async function halt(pm2: Pm2, { instance, parts }: Observation): Promise<void> {
  await Promise.all(parts.map((part) => haltPart(pm2, instance, part)));
}

/** Ends one process of an instance, after its running answers. */
export async function haltPart(pm2: Pm2, instance: Instance, { row, health }: InstancePart): Promise<void> {
  if (row !== undefined) await pm2.remove(row.id);
  else if (health !== undefined) await endProcess(health.pid, instance);
}

/** Whether {@link halt} would do anything. */
export function isHaltable({ parts }: Observation): boolean {
  return parts.length > 0;
}

async function endProcess(pid: number, { name, app }: Instance): Promise<void> {
  const isAlive = async () => isCommandOf(await readCommand(pid), app);
  // Asked again directly before the signal: the number may by now belong to somebody else.
  if (await isAlive()) process.kill(pid, 'SIGTERM');
  const deadline = performance.now() + app.kill_timeout;
  while (await isAlive()) {
    if (performance.now() > deadline) throw new Failure(`${name} (pid ${pid}) was told to end and does not`);
    await pause(POLL_MS);
  }
}
