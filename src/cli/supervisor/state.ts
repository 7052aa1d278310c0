import type { BuildStamp } from '../buildStamp.ts';
import { exitCodes } from '../exitCodes.ts';
import type { Health } from './health.ts';
import type { Inspection } from './inspect.ts';
import { isSound } from './instances.ts';

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
  | 'name taken'
  | 'running';

/**
 * Derives the state from PM2's row and from who answers on the port. The port goes first, as it is what a client reaches. PM2
 * only says why nobody answers, and whether it runs the process that does.
 */
export function deriveState({ instance, row, nameConflict, answer, isOurs }: Inspection): State {
  if (answer?.kind === 'instance' && isOurs) {
    return answer.health.pid === row?.pid ? answer.health.state : 'unsupervised';
  }
  if (answer?.kind === 'instance' || answer?.kind === 'other') return 'port taken';
  if (row === undefined) {
    if (answer?.kind === 'unresponsive') return 'port taken';
    if (nameConflict !== undefined) return 'name taken';
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
  return state === 'serving' || state === 'unsupervised' || state === 'running';
}

/** Whether the instance runs with other settings than its env file now holds. */
export function hasOlderSettings({ instance, answer, isOurs }: Inspection): boolean {
  if (answer?.kind !== 'instance' || !isOurs) return false;
  return instance.config === undefined || answer.health.config_hash !== instance.config.hash;
}

/** Whether a process began before the executable was built that there is now. */
export function isOlderThanBuild({ builtAt }: BuildStamp, { started_at: startedAt }: Health): boolean {
  return startedAt !== undefined && startedAt < builtAt;
}
