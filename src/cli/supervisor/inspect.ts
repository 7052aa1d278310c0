import { dirname, relative } from 'node:path';
import { instanceName } from '../../config/config.ts';
import { executablePath, listWorkerNumbers, queryWorker } from '../../host/workers.ts';
import type { Context } from '../command.ts';
import { Failure } from '../exitCodes.ts';
import { type Health, type PortAnswer, parseHealth, queryPort } from './health.ts';
import { envFile, type Instance, isCommandOf, loadInstances } from './instances.ts';
import { isAbandoned, isAppOf, type Pm2Row } from './pm2.ts';

/** What PM2, the port and the processes themselves report of one instance at one moment. */
export interface Inspection {
  readonly instance: Instance;
  /** PM2's row of this instance: that of the process that answers, where there are several. */
  readonly row: Pm2Row | undefined;
  /** The folder from which PM2 runs it, when the checkout has been moved since. */
  readonly movedFrom: string | undefined;
  /** The user whose process answers, when it is another's, whose own PM2 may start it anew. */
  readonly otherUser: string | undefined;
  /** systemd's unit of the process that answers, where a package of the system has brought one (decision 0031). */
  readonly unit: string | undefined;
  /** Undefined when the configuration is wrong and nothing of the instance runs, so that there is no port to ask. */
  readonly answer: PortAnswer | undefined;
  /** Whether the process that answers under the instance's name is this project's: PM2 runs it, or its command proves it. */
  readonly isOurs: boolean;
  /** All processes of the instance, and all rows that PM2 has of it. */
  readonly workers: readonly Worker[];
}

/** One of the processes of an instance. */
export interface Worker {
  /** Undefined when PM2 does not know the process. */
  readonly row: Pm2Row | undefined;
  /** Undefined when the process does not answer. */
  readonly health: Health | undefined;
}

/** Whether a client may reach the process. */
export function isWorkerServing({ health }: Worker): boolean {
  return health?.state === 'serving';
}

/** Compares PM2's rows with what the ports and the processes answer; all are asked at the same time. */
export async function inspect(rows: readonly Pm2Row[], instances: readonly Instance[]): Promise<Inspection[]> {
  const numbersOf = await listWorkerNumbers();
  return Promise.all(instances.map((instance) => inspectOne(rows, instance, numbersOf(envFile(instance)))));
}

async function inspectOne(
  rows: readonly Pm2Row[],
  instance: Instance,
  workerNumbers: readonly number[],
): Promise<Inspection> {
  const present = rows.filter((row) => isRowOf(row, instance));
  const own = present.length > 0 ? present : rows.filter((row) => isAbandonedRowOf(row, instance));
  const describe = async (answer: PortAnswer | undefined, isOurs: boolean, workers: readonly Worker[]) => {
    const health = isOurs && answer?.kind === 'instance' ? answer.health : undefined;
    const row = rowOf(health, workers) ?? own[0];
    const movedFrom = row === undefined || isRowOf(row, instance) ? undefined : row.directory;
    const unit = await findUnit(workers);
    const otherUser = unit === undefined ? await findOtherUser(workers) : undefined;
    return { instance, row, movedFrom, otherUser, unit, answer, isOurs, workers };
  };
  const [portAnswer, reports] = await Promise.all([
    instance.config && queryPort(instance.config.host, instance.config.port),
    workerNumbers.length > 1 ? queryWorkers(instance, workerNumbers) : [],
  ]);
  if (reports.length > 1) {
    const workers = matchWorkers(own, reports);
    const health = chooseRepresentative(workers);
    return describe(health && { kind: 'instance', health }, true, workers);
  }
  const answer = await findAnswer(instance, own[0], portAnswer, workerNumbers);
  const isOurs = await isAnswerOurs(instance, own, answer);
  const health = isOurs && answer?.kind === 'instance' ? answer.health : undefined;
  return describe(answer, isOurs, matchWorkers(own, health === undefined ? reports : [health]));
}

/**
 * Whether a row of PM2 is of this instance: it runs our executable with the instance's env file, under whatever name. Earlier ecosystem
 * files let PM2 run an executable whose path has a blank through a shell; such a row is known by its name and its folder.
 */
export function isRowOf(row: Pm2Row, { name, app }: Instance): boolean {
  const [, file] = app.args;
  if (row.executable === app.script) return row.args.includes(file);
  return row.name === name && isAppOf(row, dirname(dirname(file)));
}

/** Whether a row is of an instance of this name whose checkout is no longer where it was. */
function isAbandonedRowOf(row: Pm2Row, { name }: Instance): boolean {
  return envFileOf(row) !== undefined && instanceName(envFileOf(row) ?? '') === name && isAbandoned(row);
}

/** The env file with which PM2 starts an app of ours. */
function envFileOf({ args: [option, file] }: Pm2Row): string | undefined {
  return option === '--env' ? file : undefined;
}

/** A process of an instance that PM2 does not know. */
function findUnknown(workers: readonly Worker[]): Health | undefined {
  return workers.find(({ row, health }) => row === undefined && health !== undefined)?.health;
}

async function findUnit(workers: readonly Worker[]): Promise<string | undefined> {
  const unknown = findUnknown(workers);
  if (unknown === undefined) return undefined;
  const { readUnit } = await import('../../host/ports.ts');
  return readUnit(unknown.pid);
}

/** The user whose processes PM2 does not know here, when it is another than the present one. */
async function findOtherUser(workers: readonly Worker[]): Promise<string | undefined> {
  const unknown = findUnknown(workers);
  if (unknown === undefined || process.getuid === undefined) return undefined;
  const { readOwner, userName } = await import('../../host/ports.ts');
  const owner = await readOwner(unknown.pid);
  return owner === undefined || owner === process.getuid() ? undefined : userName(owner);
}

/** What all processes of an instance that share its port report of themselves. */
export async function queryAllWorkers(instance: Instance): Promise<Health[]> {
  return queryWorkers(instance, (await listWorkerNumbers())(envFile(instance)));
}

/** What the processes with these numbers report, each asked by its own name, as the port answers for one of them by chance. */
async function queryWorkers(instance: Instance, numbers: readonly number[]): Promise<Health[]> {
  const answers = await Promise.all(numbers.map((number) => queryWorker(envFile(instance), number)));
  const reports = answers.flatMap((answer) => (answer === undefined ? [] : (parseHealth(answer) ?? [])));
  const sharing = reports.filter((health) => health.instance === instance.name && health.shares_port === true);
  const isOurs = await Promise.all(sharing.map(({ pid }) => isOwnProcess(pid, instance)));
  return sharing.filter((_, index) => isOurs[index]);
}

/** Pairs PM2's rows of an instance with what its processes report. */
function matchWorkers(rows: readonly Pm2Row[], reports: readonly Health[]): Worker[] {
  const answering = reports.map((health) => ({ health, row: rows.find(({ pid }) => pid === health.pid) }));
  const silent = rows.filter(({ pid }) => reports.every((health) => health.pid !== pid));
  return [...answering, ...silent.map((row) => ({ health: undefined, row }))];
}

/** Of several processes that share a port, the one that stands for all: one that serves, under PM2 if possible. */
function chooseRepresentative(workers: readonly Worker[]): Health | undefined {
  const serving = workers.filter(isWorkerServing);
  const chosen = serving.find(({ row }) => row !== undefined) ?? serving[0] ?? workers[0];
  return chosen?.health;
}

function rowOf(health: Health | undefined, workers: readonly Worker[]): Pm2Row | undefined {
  return workers.find((worker) => worker.health === health && worker.row !== undefined)?.row;
}

/**
 * The answer of the instance. Where nobody or something else answers on the port of its env file, the instance may listen on
 * another one, as the file may have changed since it started.
 */
async function findAnswer(
  instance: Instance,
  row: Pm2Row | undefined,
  portAnswer: PortAnswer | undefined,
  workerNumbers: readonly number[],
): Promise<PortAnswer | undefined> {
  if (portAnswer?.kind === 'instance' && portAnswer.health.instance === instance.name) return portAnswer;
  const [health] = await queryWorkers(instance, workerNumbers);
  if (health !== undefined) return { kind: 'instance', health };
  if (row === undefined || row.pid === 0) return portAnswer;
  const { listeningAddresses } = await import('../../host/ports.ts');
  for (const { host, port } of await listeningAddresses(row.pid)) {
    const answer = await queryPort(host, port);
    if (answer.kind === 'instance') return answer;
  }
  return portAnswer;
}

async function isAnswerOurs(
  instance: Instance,
  rows: readonly Pm2Row[],
  answer: PortAnswer | undefined,
): Promise<boolean> {
  if (answer?.kind !== 'instance' || answer.health.instance !== instance.name) return false;
  const { pid } = answer.health;
  return rows.some((row) => row.pid === pid) || isOwnProcess(pid, instance);
}

/** Whether the command of a process proves that it is the instance's. */
async function isOwnProcess(pid: number, { app }: Instance): Promise<boolean> {
  // Loaded here, as PM2's row is proof enough in most cases.
  const { readCommand } = await import('../../host/ports.ts');
  return isCommandOf(await readCommand(pid), app);
}

/**
 * Before processes are ended or started: those of another user are his own to manage, and his PM2 would start them anew; so would systemd.
 * @throws Failure when an instance has such a process
 */
export function refuseOtherUsers(inspections: readonly Inspection[]): void {
  const ofSystem = inspections.find(({ unit }) => unit !== undefined);
  if (ofSystem !== undefined)
    throw new Failure(`${ofSystem.instance.name} is run by systemd: sudo systemctl restart ${ofSystem.unit}`);
  const refused = inspections.find(({ otherUser }) => otherUser !== undefined);
  if (refused === undefined) return;
  const { instance, otherUser } = refused;
  throw new Failure(
    `${instance.name} is run by ${otherUser}, and only ${otherUser} can manage it (as root: sudo -H -u ${otherUser} ./manage ...)`,
  );
}

/** PM2's list and all instances of the project. */
export interface Listing {
  readonly rows: readonly Pm2Row[];
  readonly instances: readonly Instance[];
}

/** Lists all instances: those with an env file, and those that PM2 still runs though their file was removed. */
export async function listAll({ root, pm2 }: Context): Promise<Listing> {
  const rows = await pm2.list();
  const present = loadInstances(root);
  const names = present.map(({ name }) => name);
  const files = new Set(rows.filter((row) => isAppOf(row, root)).flatMap((row) => envFileOf(row) ?? []));
  const gone = [...files].filter((file) => !names.includes(instanceName(file)));
  return { rows, instances: [...present, ...gone.map((file) => withoutEnvFile(root, file))] };
}

/** Longer than any usual drain; the env file with the real one is gone. */
const UNKNOWN_KILL_TIMEOUT_MS = 60_000;

/** An instance whose env file is gone, so that nothing but its name is known. */
function withoutEnvFile(root: string, file: string): Instance {
  const name = instanceName(file);
  const problem = {
    file: relative(root, file),
    key: 'file',
    found: 'none, though PM2 still has its instance',
    fix: `Bring the file back, or run: ./manage stop ${name}`,
    severity: 'error',
  } as const;
  const app = {
    script: executablePath(root),
    args: ['--env', file],
    env: {},
    out_file: '',
    kill_timeout: UNKNOWN_KILL_TIMEOUT_MS,
    listen_timeout: 0,
  } as const;
  return { name, app, config: undefined, problems: [problem] };
}
