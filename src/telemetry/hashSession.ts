import { createHash } from 'node:crypto';

/** The short hash by which a client's session is known in the log and the usage file (R511); longer it would be masked as a key. */
export function hashSession(session: string): string {
  return createHash('sha256').update(session).digest('hex').slice(0, 16);
}
