import { exitCodes } from '../exitCodes.ts';
import { isSound } from './instances.ts';
import type { Observation } from './observe.ts';

/** How it is with an instance, in the words that `status` shows. */
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
 * Reconciles PM2's view with the port's own identity. The port has the first word: it is what a client meets. PM2 tells
 * only why nobody answers; its pid counts when the answering process has the same.
 */
export function judge({ instance, row, rival, answer, isOurs }: Observation): State {
  if (answer?.kind === 'instance' && isOurs) {
    return answer.health.pid === row?.pid ? answer.health.state : 'unsupervised';
  }
  if (answer?.kind === 'instance' || answer?.kind === 'stranger') return 'port taken';
  if (row === undefined) {
    if (answer?.kind === 'mute') return 'port taken';
    if (rival !== undefined) return 'name taken';
    return isSound(instance) ? 'not started' : 'failed';
  }
  switch (row.status) {
    case 'online':
      if (answer === undefined) return 'running';
      return answer.kind === 'mute' ? 'not answering' : 'starting';
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
export function hasOlderSettings({ instance, answer, isOurs }: Observation): boolean {
  if (answer?.kind !== 'instance' || !isOurs) return false;
  return instance.config === undefined || answer.health.configHash !== instance.config.hash;
}
