import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** In ms; an instance that writes never holds the file for longer than a few. */
const LOCK_WAIT_MS = 2000;

/**
 * Reads one usage file without changing it, while its instance runs or not; undefined when there is none.
 * @throws when the file cannot be read
 */
export function withUsageDatabase<T>(path: string, read: (database: DatabaseSync) => T): T | undefined {
  if (!statSync(path, { throwIfNoEntry: false })?.size) return undefined;
  const database = new DatabaseSync(path, { readOnly: true, timeout: LOCK_WAIT_MS });
  try {
    return read(database);
  } finally {
    database.close();
  }
}
