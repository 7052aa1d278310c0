import type { FastifyInstance } from 'fastify';
import { ApiError } from '../../core/errors.ts';
import { createConnectionTest } from '../../gateway/connectionTest.ts';
import {
  describeHealth,
  describeStatistics,
  formatMetrics,
  type ProcessFacts,
  shellExports,
} from '../../gateway/introspection.ts';
import { findModelInfo, pageModels } from '../../routing/modelList.ts';
import { PROMETHEUS_CONTENT_TYPE } from '../../telemetry/metrics.ts';
import { onClientGone } from '../responseWriter.ts';
import { ForwardedRequest } from './messages.ts';

const ENDPOINTS = {
  messages: 'POST /v1/messages',
  count_tokens: 'POST /v1/messages/count_tokens',
  test_conversion: 'POST /v1/messages/test_conversion',
  chat_completions: 'POST /v1/chat/completions',
  models: 'GET /v1/models',
  test_connection: 'GET /test-connection',
  health: 'GET /health',
  statistics: 'GET /v1/stats',
  metrics: 'GET /metrics',
  environment: 'GET /env',
};

/** What an instance reports of itself: `/`, `/health` and the client's checks without a token, `/env` with it. */
export function addInformationRoutes(app: FastifyInstance, facts: ProcessFacts): void {
  app.get('/', ({ serving }) => {
    const { config } = serving.services;
    return {
      message: 'claude-code-proxy: Anthropic’s Messages API for Claude Code on any model provider',
      status: facts.isDraining() ? 'draining' : 'running',
      version: facts.version,
      instance: config.instance,
      config: {
        provider: config.provider.preset.title,
        openai_base_url: config.provider.baseUrl,
        big_model: config.tiers.big,
        middle_model: config.tiers.middle,
        small_model: config.tiers.small,
        api_key_configured: config.provider.key.secret !== undefined,
        client_api_key_validation: config.clientToken !== undefined,
      },
      endpoints: ENDPOINTS,
    };
  });
  app.head('/', (_request, reply) => reply.code(200).send());
  app.head('/api/hello', (_request, reply) => reply.code(200).send());

  app.get('/env', ({ serving }, reply) =>
    reply.type('text/plain; charset=utf-8').send(shellExports(serving.services.config)),
  );

  for (const path of ['/health', '/healthz']) {
    app.get(path, ({ serving }, reply) => {
      reply.code(facts.isDraining() ? 503 : 200).header('cache-control', 'no-store');
      return describeHealth(serving.services, facts);
    });
  }
}

/** Anthropic's own upper limit of a page. */
const MAX_PAGE = 1000;

/** `GET /v1/models` and `GET /v1/models/:id`: what the env file configures, never a question to the provider. */
export function addModelRoutes(app: FastifyInstance): void {
  app.get<{ Querystring: { limit?: string; after_id?: string; before_id?: string } }>(
    '/v1/models',
    (request, reply) => {
      reply.header('request-id', request.id);
      const { after_id: afterId, before_id: beforeId } = request.query;
      const limit = Number(request.query.limit ?? MAX_PAGE);
      const size = Number.isInteger(limit) && limit > 0 ? Math.min(limit, MAX_PAGE) : MAX_PAGE;
      return pageModels(request.serving.models, size, { afterId, beforeId });
    },
  );
  app.get<{ Params: { '*': string } }>('/v1/models/*', (request, reply) => {
    reply.header('request-id', request.id);
    const id = request.params['*'];
    const { models, services } = request.serving;
    const model = findModelInfo(id, models, services.config);
    if (model === undefined) {
      throw new ApiError(
        'unknown_model',
        `this instance has no model ${JSON.stringify(id.slice(0, 100))}; GET /v1/models lists them`,
      );
    }
    return model;
  });
}

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

/** `GET /test-connection`: a real small request to the provider; 503 with suggestions when it fails. */
export function addTestConnectionRoute(app: FastifyInstance): void {
  const connectionTest = createConnectionTest();

  app.get('/test-connection', async (request, reply) => {
    const { services } = request.serving;
    const { status, body } = await connectionTest.run(
      services,
      {
        id: request.id,
        endpoint: '/test-connection',
        forwarded: new ForwardedRequest(request),
        session: undefined,
        agent: undefined,
        userAgent: request.headers['user-agent'],
      },
      (end) => onClientGone(reply.raw, end),
    );
    return reply.code(status).headers({ 'request-id': request.id, 'cache-control': 'no-store' }).send(body);
  });
}

/** Endpoints of Anthropic's API that no chat completions provider can serve. */
const UNSUPPORTED = [
  '/v1/messages/batches',
  '/v1/messages/batches/*',
  '/v1/files',
  '/v1/files/*',
  '/v1/complete',
  '/v1/skills',
  '/v1/skills/*',
];

export function addUnsupportedRoutes(app: FastifyInstance): void {
  for (const url of UNSUPPORTED) {
    app.route({
      method: ['GET', 'POST', 'DELETE'],
      url,
      handler: () => {
        throw new ApiError(
          'not_supported',
          'this instance serves the Messages API only: no batches, files, skills or completions',
        );
      },
    });
  }
  // Some hosts rewrite the client's telemetry to its base URL: taken and thrown away, so that it does not come back.
  app.post('/api/event_logging/*', (request, reply) => {
    reply.header('request-id', request.id);
    return {};
  });
}
