import { dirname, isAbsolute, relative } from 'node:path';
import { terminalSafe } from '../../core/text.ts';
import type { BuildStamp } from '../buildStamp.ts';
import { exitCodes } from '../exitCodes.ts';
import type { Health } from './health.ts';
import { type Inspection, isWorkerServing } from './inspect.ts';
import { addressOf, envFile, isSound } from './instances.ts';

/** The state of an instance, in the words that `status` shows. */
export type State =
  | 'serving'
  | 'draining'
  | 'starting'
  | 'not answering'
  | 'backing off'
  | 'stopped'
  | 'not started'
  | 'failed'
  | 'unsupervised'
  | 'port taken'
  | 'moved'
  | 'running';

/**
 * Derives the state from PM2's row and from who answers on the port. The port goes first, as it is what a client reaches. PM2
 * only says why nobody answers, and whether it runs the process that does; systemd may do so, too.
 */
export function deriveState({ instance, row, movedFrom, unit, answer, isOurs }: Inspection): State {
  if (answer?.kind === 'instance' && isOurs) {
    if (movedFrom !== undefined) return 'moved';
    return answer.health.pid === row?.pid || unit !== undefined ? answer.health.state : 'unsupervised';
  }
  if (answer?.kind === 'instance' || answer?.kind === 'other') return 'port taken';
  if (row === undefined) {
    if (answer?.kind === 'unresponsive') return 'port taken';
    return isSound(instance) ? 'not started' : 'failed';
  }
  switch (row.status) {
    case 'online':
      if (answer === undefined) return 'running';
      return answer.kind === 'unresponsive' ? 'not answering' : 'starting';
    case 'launching':
      return 'starting';
    case 'stopping':
      return 'draining';
    case 'errored':
      return 'failed';
    default:
      // With an exponential back-off PM2 says "waiting restart" also of what it will not restart.
      if (row.exitCode === exitCodes.configuration) return 'failed';
      return row.status === 'waiting restart' ? 'backing off' : 'stopped';
  }
}

/** Whether a client gets answers there. */
export function isUp(state: State): boolean {
  return state === 'serving' || state === 'unsupervised' || state === 'running' || state === 'moved';
}

/** Whether the instance runs with other settings than its env file now holds. */
export function hasOlderSettings({ instance, answer, isOurs }: Inspection): boolean {
  if (answer?.kind !== 'instance' || !isOurs) return false;
  return instance.config === undefined || answer.health.config_hash !== instance.config.hash;
}

/**
 * Whether a process runs another build than there is now. One that npm has installed may have been built long before it came here, when
 * the process that runs the version before it was not started yet.
 */
export function isOlderThanBuild({ builtAt, version }: BuildStamp, health: Health): boolean {
  const { started_at: startedAt, version: running } = health;
  return (startedAt !== undefined && startedAt < builtAt) || (running !== undefined && running !== version);
}

/** What a user should know of an instance besides its state. */
export interface Hint {
  readonly problem: string;
  /** How to solve it; undefined where there is nothing to do, or `problem` says it. */
  readonly remedy?: string;
}

/** A hint in a line that begins with the instance. */
export function hintLine(name: string, { problem, remedy }: Hint): string {
  return remedy === undefined ? `${name}: ${problem}` : `${name}: ${problem}; ${remedy}`;
}

/** The diagnosis of an instance in a line; undefined when all is well. */
export async function diagnosisLine(inspection: Inspection, state: State): Promise<string | undefined> {
  const hint = await diagnose(inspection, state);
  return hint && hintLine(inspection.instance.name, hint);
}

/** What a user should know of an instance besides its state, and what to do about it; undefined when all is well. */
export async function diagnose(inspection: Inspection, state: State): Promise<Hint | undefined> {
  const { instance, row, movedFrom, otherUser } = inspection;
  const { name } = instance;
  if (movedFrom !== undefined) {
    return {
      problem: `runs from ${terminalSafe(movedFrom)}, where this checkout no longer is`,
      remedy: `take it over with: ./manage start ${name}`,
    };
  }
  if (otherUser !== undefined) {
    return { problem: `is run by ${otherUser}, whose own PM2 knows it`, remedy: `only ${otherUser} can manage it` };
  }
  if (state === 'port taken') {
    const problem = await describePortHolder(inspection);
    return { problem, remedy: `end that program or change PORT in envs/${name}.env` };
  }
  if (state === 'unsupervised') {
    return {
      problem: 'runs, but PM2 does not know it',
      remedy: `put it under PM2 again with: ./manage start ${name}`,
    };
  }
  if (state === 'backing off') {
    const often = row?.restarts === 1 ? 'once' : `${row?.restarts} times`;
    const status = row?.exitCode ?? 'unknown';
    return {
      problem: `ended with exit status ${status} and was started again ${often}; logs/${name}/console.log says why`,
    };
  }
  if (state === 'starting' || state === 'not answering') {
    return { problem: `online but not ready: nothing answers on ${addressOf(instance)} yet` };
  }
  const hint = diagnoseWorkers(inspection) ?? diagnoseReload(inspection);
  if (hint !== undefined || !hasOlderSettings(inspection)) return hint;
  const remedy = instance.config === undefined ? 'repair its env file first' : `./manage reload ${name}`;
  return {
    problem: `runs with older settings than envs/${name}.env holds`,
    remedy: `for the new ones: ${remedy}`,
  };
}

/** Who has the port of an instance. */
async function describePortHolder({ instance: { config }, answer }: Inspection): Promise<string> {
  const { findPortHolder } = await import('../../host/ports.ts');
  const holder = config && (await findPortHolder(config.port));
  const who = holder ? `pid ${holder.pid} (${terminalSafe(holder.program)})` : 'another program';
  const name = answer?.kind === 'instance' ? `, which answers as "${answer.health.instance}"` : '';
  return `port ${config?.port} is held by ${who}${name}`;
}

/** Which of several processes do not serve, or not under PM2. */
function diagnoseWorkers({ instance: { name }, workers }: Inspection): Hint | undefined {
  const unsupervised = workers.filter(({ row }) => row === undefined).flatMap(({ health }) => health?.pid ?? []);
  if (unsupervised.length > 0 && unsupervised.length < workers.length) {
    return {
      problem: `pid ${unsupervised.join(', ')} serves it too, and PM2 does not know it`,
      remedy: `end it with: ./manage start ${name}`,
    };
  }
  const others = workers.filter((worker) => !isWorkerServing(worker));
  if (others.length === 0 || others.length === workers.length) return undefined;
  const states = others.map(({ health, row }) => health?.state ?? row?.status).join(', ');
  return { problem: `${workers.length - others.length} of ${workers.length} processes serve, the others: ${states}` };
}

/** Why a running instance could not apply a change of its configuration; undefined when it could, or there was none. */
export function diagnoseReload({ instance, answer, isOurs }: Inspection): Hint | undefined {
  if (answer?.kind !== 'instance' || !isOurs) return undefined;
  const { config_problems: problems = [], restart_needed: restartNeeded = [] } = answer.health;
  if (problems.length > 0) {
    const root = dirname(dirname(envFile(instance)));
    const locations = problems.map((problem) => formatLocation(problem, root)).join(', ');
    return { problem: `serving the old configuration; wrong is ${locations}` };
  }
  if (restartNeeded.length === 0) return undefined;
  return {
    problem: `restart needed for ${restartNeeded.join(', ')}`,
    remedy: `do it with: ./manage reload ${instance.name}`,
  };
}

/** Where a problem is, with the path of its file from the project, as all other problems are shown. */
function formatLocation(
  { file = '', line, key }: NonNullable<Health['config_problems']>[number],
  root: string,
): string {
  const path = isAbsolute(file) ? relative(root, file) : file;
  return `${path}${line == null ? '' : `:${line}`} ${key}`;
}
