import type { FastifyInstance } from 'fastify';
import { describeHealth, type ProcessFacts, shellExports } from '../../gateway/introspection.ts';

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

/** What an instance tells of itself: `/`, `/health` and the probes of the client without a token (R504), `/env` with it. */
export function addInformationRoutes(app: FastifyInstance, facts: ProcessFacts): void {
  app.get(
    '/',
    ({
      serving: {
        services: { config },
      },
    }) => ({
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
    }),
  );
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
