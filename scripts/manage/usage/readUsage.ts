import { sumUsage, type UsageGrouping, type UsageSum } from '../../../src/telemetry/usage/totals.ts';
import { withUsageDatabase } from './withUsageDatabase.ts';

/**
 * Sums up one usage file; no file, no usage.
 * @throws when the file cannot be read
 */
export function readUsage(path: string, by: UsageGrouping, firstDay: string): UsageSum[] {
  return withUsageDatabase(path, (database) => sumUsage(database, by, firstDay)) ?? [];
}
