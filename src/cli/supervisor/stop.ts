import { setTimeout as pause } from 'node:timers/promises';
import { readCommand } from '../../host/ports.ts';
import type { Context } from '../command.ts';
import { Failure } from '../exitCodes.ts';
import type { Inspection, Worker } from './inspect.ts';
import { type Instance, isCommandOf } from './instances.ts';
import type { Pm2 } from './pm2.ts';

const POLL_MS = 50;

/** Whether {@link stopInstance} would do anything. */
export function isStoppable({ workers }: Inspection): boolean {
  return workers.length > 0;
}

/** Stops several at the same time, and says so before, as running answers may take their time, and after. */
export async function stopAll({ pm2, output }: Context, inspections: readonly Inspection[]): Promise<void> {
  if (inspections.length === 0) return;
  const names = inspections.map(({ instance }) => instance.name).join(', ');
  output.say(`Stopping ${names}; running answers may end first.`);
  const stopped = inspections.map(async (inspection) => {
    await stopInstance(pm2, inspection);
    output.say(`${inspection.instance.name} stopped`);
  });
  await output.wait(`stopping ${names}`, Promise.all(stopped));
}

/**
 * Stops what runs of an instance, after its running answers: PM2's apps, which are taken off PM2's list, and processes of ours that
 * PM2 has lost. Nothing happens when nothing runs.
 * @throws Failure when a process does not end.
 */
export async function stopInstance(pm2: Pm2, { instance, workers }: Inspection): Promise<void> {
  await Promise.all(workers.map((worker) => stopWorker(pm2, instance, worker)));
}

/** Stops one process of an instance, after its running answers. */
export async function stopWorker(pm2: Pm2, instance: Instance, { row, health }: Worker): Promise<void> {
  if (row !== undefined) await pm2.remove(row.id);
  else if (health !== undefined) await endProcess(health.pid, instance);
}

async function endProcess(pid: number, { name, app }: Instance): Promise<void> {
  const isAlive = async () => isCommandOf(await readCommand(pid), app);
  // Asked again directly before the signal: the number may by now belong to somebody else.
  if (await isAlive()) process.kill(pid, 'SIGTERM');
  const deadline = performance.now() + app.kill_timeout;
  while (await isAlive()) {
    if (performance.now() > deadline) throw new Failure(`${name} (pid ${pid}) was asked to end and does not`);
    await pause(POLL_MS);
  }
}
