import type { FastifyInstance } from 'fastify';
import { describeStatistics, formatMetrics, type ProcessFacts } from '../../gateway/introspection.ts';
import { PROMETHEUS_CONTENT_TYPE } from '../../telemetry/metrics.ts';

/** `GET /v1/stats` for people and programs, `GET /metrics` for Prometheus; both need the token where there is one. */
export function addStatisticsRoutes(app: FastifyInstance, facts: ProcessFacts): void {
  app.get('/v1/stats', ({ serving }, reply) => {
    reply.header('cache-control', 'no-store');
    return describeStatistics(serving.services, facts);
  });
  app.get('/metrics', ({ serving }, reply) =>
    reply
      .type(PROMETHEUS_CONTENT_TYPE)
      .header('cache-control', 'no-store')
      .send(formatMetrics(serving.services, facts)),
  );
}
