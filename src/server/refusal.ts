import type { FastifyRequest } from 'fastify';
import type { ApiError } from '../core/errors.ts';
import type { RequestRecord } from '../telemetry/requestRecord.ts';

/** Counts and logs a request that was refused before the gateway saw it, so that its id can be found in the log. */
export function logRefusal(request: FastifyRequest, error: ApiError): void {
  const { config, stats, logger } = request.serving.services;
  const record: RequestRecord = {
    id: request.id,
    endpoint: request.routeOptions.url ?? request.url.split('?', 1)[0] ?? '',
    provider: config.provider.preset.name,
    stream: false,
    status: error.status,
    outcome: 'rejected',
    errorType: error.type,
    errorMessage: error.message,
    durationMs: 0,
  };
  stats.start();
  stats.finish(record);
  logger.request(record);
}
