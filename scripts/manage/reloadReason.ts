import { setTimeout as pause } from 'node:timers/promises';
import { asString } from '../../src/core/json.ts';
import type { BuildStamp } from '../build/stamp.ts';
import type { Health } from './health.ts';
import type { Observation } from './observe.ts';
import { findParts } from './parts.ts';

/** An instance looks at its files four times a second, and acts when two looks agree. */
const TAKE_OVER_MS = 2000;
const POLL_MS = 50;

/** Whether a process began before the executable was built that there is now. */
export function isOlderThan({ builtAt }: BuildStamp, { body }: Health): boolean {
  const startedAt = asString(body['started_at']);
  return startedAt !== undefined && startedAt < builtAt;
}

function healthsOf({ parts }: Pick<Observation, 'parts'>): Health[] {
  return parts.flatMap(({ health }) => health ?? []);
}

/** Changed settings that hold only in a new process. */
function restartNeeded({ body }: Health): string[] {
  const names = body['restart_needed'];
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
}

/** Why an instance has to be reloaded, in words; undefined when each of its processes has the present settings and build. */
export async function reloadReason(observation: Observation, stamp: BuildStamp | undefined) {
  const told = await whenTakenOver(observation);
  if (stamp !== undefined && told.some((health) => isOlderThan(stamp, health))) return 'the executable is newer';
  const names = [...new Set(told.flatMap(restartNeeded))];
  if (names.length > 0) return `${names.join(', ')} changed`;
  const { config } = observation.instance;
  return told.some(({ configHash }) => configHash !== config?.hash) ? 'it has not taken over its settings' : undefined;
}

/** What the processes say after they have had the time to take over an edit by themselves. */
async function whenTakenOver(observation: Observation): Promise<Health[]> {
  const { instance } = observation;
  const deadline = performance.now() + TAKE_OVER_MS;
  let told = healthsOf(observation);
  const waits = (health: Health) =>
    health.configHash !== instance.config?.hash && restartNeeded(health).length === 0 && health.sharesPort;
  while (told.some(waits) && performance.now() < deadline) {
    await pause(POLL_MS);
    told = await findParts(instance);
  }
  return told;
}
