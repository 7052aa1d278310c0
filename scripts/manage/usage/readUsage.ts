import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { sumUsage, type UsageGrouping, type UsageSum } from '../../../src/telemetry/usageSums.ts';

/** In ms; an instance that writes never holds the file for longer than a few. */
const LOCK_WAIT_MS = 2000;

/**
 * Sums up one usage file without changing it, while its instance runs or not; no file, no usage.
 * @throws when the file cannot be read
 */
export function readUsage(path: string, by: UsageGrouping, firstDay: string): UsageSum[] {
  if (!statSync(path, { throwIfNoEntry: false })?.size) return [];
  const database = new DatabaseSync(path, { readOnly: true, timeout: LOCK_WAIT_MS });
  try {
    return sumUsage(database, by, firstDay);
  } finally {
    database.close();
  }
}
