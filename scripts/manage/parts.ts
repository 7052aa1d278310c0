import { readCommand } from '../../src/host/ports.ts';
import { askPart, partNumbers } from '../../src/host/workers.ts';
import { type Health, parseHealth } from './health.ts';
import { envFile, type Instance } from './instances.ts';
import type { Pm2Row } from './pm2.ts';
import { isCommandOf } from './processes.ts';

/** One of the processes of an instance. */
export interface InstancePart {
  /** PM2's row; undefined when PM2 does not know the process. */
  readonly row: Pm2Row | undefined;
  /** What it says of itself; undefined when it does not answer. */
  readonly health: Health | undefined;
}

/** What the processes that share the port of an instance say of themselves, each asked by its own name. */
export async function askParts(instance: Instance, numbers: readonly number[]): Promise<Health[]> {
  const answers = await Promise.all(numbers.map((number) => askPart(envFile(instance), number)));
  const told = answers.flatMap((answer) => (answer === undefined ? [] : (parseHealth(answer) ?? [])));
  const sharing = told.filter(({ instance: name, sharesPort }) => name === instance.name && sharesPort);
  const ours = await Promise.all(sharing.map(async ({ pid }) => isCommandOf(await readCommand(pid), instance.app)));
  return sharing.filter((_, index) => ours[index]);
}

/** Asks all parts of an instance that there are now. */
export async function findParts(instance: Instance): Promise<Health[]> {
  return askParts(instance, (await partNumbers())(envFile(instance)));
}

/** Puts PM2's rows of an instance beside what its processes say. */
export function pairParts(rows: readonly Pm2Row[], told: readonly Health[]): InstancePart[] {
  const known = told.map((health) => ({ health, row: rows.find(({ pid }) => pid === health.pid) }));
  const silent = rows.filter(({ pid }) => told.every((health) => health.pid !== pid));
  return [...known, ...silent.map((row) => ({ health: undefined, row }))];
}

/** Whether a client may meet the process. */
export function isPartServing({ health }: InstancePart): boolean {
  return health?.state === 'serving';
}
