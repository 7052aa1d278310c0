import type { ProviderKey } from '../config/config.ts';
import { localDay } from '../telemetry/days.ts';
import type { RequestRecord } from '../telemetry/requestRecord.ts';
import { requestCost } from '../telemetry/usage/cost.ts';
import { HEALTH_CHECK } from '../telemetry/usage/totals.ts';
import type { CheckReader } from './checkReader.ts';
import { mintId } from './mintId.ts';
import { recordUsage } from './recordUsage.ts';
import type { Route } from './route.ts';
import { recordKey, recordRoute } from './run.ts';
import type { Services } from './services.ts';

/**
 * Counts what the answer to a health check has cost, as for a request. The request itself is in no count, rate or latency, nor in
 * the request log, as no client has made it.
 * @param askedAt by the monotonic clock, in ms
 */
export function countCheck(
  { config, clock, stats, usage }: Services,
  route: Route,
  key: ProviderKey,
  reader: CheckReader,
  askedAt: number,
): void {
  const record: RequestRecord = {
    id: mintId('req_'),
    endpoint: HEALTH_CHECK,
    provider: route.provider,
    stream: false,
    status: 200,
    outcome: 'ok',
    durationMs: Math.round(clock.monotonic() - askedAt),
    attempts: 1,
  };
  recordRoute({ record }, route);
  recordKey({ record }, route, key);
  record.upstreamModel = reader.upstreamModel ?? record.upstreamModel;
  if (reader.usage !== undefined) recordUsage(record, reader.usage, true);
  record.cost = requestCost(record, config, localDay(clock.now()));
  stats.addTokens(record);
  usage.finish(record);
}
