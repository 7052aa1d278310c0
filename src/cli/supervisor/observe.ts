import { relative } from 'node:path';
import { listeningAddresses, readCommand } from '../../host/ports.ts';
import { askPart, partNumbers } from '../../host/workers.ts';
import { executablePath } from '../buildStamp.ts';
import type { Context } from '../context.ts';
import { askPort, type Health, type PortAnswer, parseHealth } from './health.ts';
import { envFile, type Instance, isCommandOf, loadInstances } from './instances.ts';
import type { Pm2Row } from './pm2.ts';

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

/** What PM2, the port and the parts say of one instance at one moment. */
export interface Observation {
  readonly instance: Instance;
  /** PM2's row of this instance: that of the process that answers, where there are several. */
  readonly row: Pm2Row | undefined;
  /** A row of the same name that belongs to something else: another project, or another copy of this one. */
  readonly rival: Pm2Row | undefined;
  /** Undefined when the configuration is wrong and nothing of the instance runs, so that there is no port to ask. */
  readonly answer: PortAnswer | undefined;
  /** Whether the process that answers under the instance's name is this project's: PM2 runs it, or its command proves it. */
  readonly isOurs: boolean;
  /** All processes of the instance, and all rows that PM2 has of it. */
  readonly parts: readonly InstancePart[];
}

/** Whether PM2 runs our binary with this instance's env file under this row. A name alone proves nothing. */
export function isRowOf(row: Pm2Row, instance: Instance): boolean {
  return row.name === instance.name && row.executable === instance.app.script && row.args.includes(envFile(instance));
}

/** Puts PM2's rows beside what the ports answer; all ports are asked at the same time. */
export async function observe(rows: readonly Pm2Row[], instances: readonly Instance[]): Promise<Observation[]> {
  const numbersOf = await partNumbers();
  return Promise.all(
    instances.map(async (instance) => {
      const own = rows.filter((row) => isRowOf(row, instance));
      const rival = rows.find((row) => row.name === instance.name && !isRowOf(row, instance));
      const numbers = numbersOf(envFile(instance));
      const [answer, told] = await Promise.all([
        instance.config && askPort(instance.config.host, instance.config.port),
        numbers.length > 1 ? askParts(instance, numbers) : [],
      ]);
      const seen =
        told.length > 1 ? chooseAnswer(pairParts(own, told)) : await askAlone(instance, own[0], answer, numbers);
      const isOurs = told.length > 1 || (await isAnswerOurs(instance, own, seen));
      const health = isOurs && seen?.kind === 'instance' ? seen.health : undefined;
      const parts = pairParts(own, told.length > 1 || health === undefined ? told : [health]);
      const row = parts.find((part) => part.health === health && part.row)?.row ?? own[0];
      return { instance, row, rival, answer: seen, isOurs, parts };
    }),
  );
}

/** Of several processes that share a port, the one that stands for all: which of them the port would give is chance. */
function chooseAnswer(parts: readonly InstancePart[]): PortAnswer | undefined {
  const serving = parts.filter(isPartServing);
  const { health } = serving.find(({ row }) => row !== undefined) ?? serving[0] ?? parts[0] ?? {};
  return health && { kind: 'instance', health };
}

/** Where something else answers than the instance or nobody, it may listen elsewhere: its env file may have changed since. */
async function askAlone(
  instance: Instance,
  row: Pm2Row | undefined,
  answer: PortAnswer | undefined,
  numbers: readonly number[],
): Promise<PortAnswer | undefined> {
  if (answer?.kind === 'instance' && answer.health.instance === instance.name) return answer;
  const [health] = await askParts(instance, numbers);
  if (health !== undefined) return { kind: 'instance', health };
  if (row === undefined || row.pid === 0) return answer;
  for (const { host, port } of await listeningAddresses(row.pid)) {
    const other = await askPort(host, port);
    if (other.kind === 'instance') return other;
  }
  return answer;
}

async function isAnswerOurs({ name, app }: Instance, rows: readonly Pm2Row[], answer: PortAnswer | undefined) {
  if (answer?.kind !== 'instance' || answer.health.instance !== name) return false;
  const { pid }: Health = answer.health;
  return rows.some((row) => row.pid === pid) || isCommandOf(await readCommand(pid), app);
}

export interface Stock {
  readonly rows: readonly Pm2Row[];
  readonly instances: readonly Instance[];
}

/** Longer than any usual drain; the env file that would tell is gone. */
const LOST_KILL_TIMEOUT_MS = 60_000;

/** PM2's list, and all instances: those with an env file, and those that PM2 still runs though theirs was removed. */
export async function takeStock({ root, pm2 }: Context): Promise<Stock> {
  const rows = await pm2.list();
  const present = loadInstances(root);
  return { rows, instances: [...present, ...findLost(root, rows, present)] };
}

function findLost(root: string, rows: readonly Pm2Row[], present: readonly Instance[]): Instance[] {
  const names = present.map(({ name }) => name);
  return rows.flatMap(({ name, executable, args: [option, file] }) => {
    if (executable !== executablePath(root) || option === undefined || file === undefined || names.includes(name))
      return [];
    const problem = {
      file: relative(root, file),
      key: 'file',
      found: 'none, though PM2 still has its instance',
      fix: `Bring the file back, or run: ./manage stop ${name}`,
      severity: 'error',
    } as const;
    const app = {
      name,
      script: executable,
      args: [option, file],
      env: {},
      out_file: '',
      kill_timeout: LOST_KILL_TIMEOUT_MS,
      listen_timeout: 0,
    } as const;
    return [{ name, app, config: undefined, problems: [problem] }];
  });
}
