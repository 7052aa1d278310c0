import type { FastifyInstance } from 'fastify';
import { ApiError } from '../../core/errors.ts';

/** Parts of Anthropic's API that no chat completions provider can serve (R506). */
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
  // Some hosts rewrite the client's telemetry to its base URL: taken and thrown away, so that it does not come back (R505).
  app.post('/api/event_logging/*', (request, reply) => {
    reply.header('request-id', request.id);
    return {};
  });
}
