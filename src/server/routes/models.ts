import type { FastifyInstance } from 'fastify';
import { ApiError } from '../../core/errors.ts';
import { pageModels } from '../../routing/modelList.ts';

/** Anthropic's own upper limit of a page. */
const MAX_PAGE = 1000;

/** `GET /v1/models` and `GET /v1/models/:id`: what the env file configures, never a question to the provider (R503). */
export function addModelRoutes(app: FastifyInstance): void {
  app.get<{ Querystring: { limit?: string; after_id?: string } }>('/v1/models', (request, reply) => {
    reply.header('request-id', request.id);
    const limit = Number(request.query.limit ?? MAX_PAGE);
    const size = Number.isInteger(limit) && limit > 0 ? Math.min(limit, MAX_PAGE) : MAX_PAGE;
    return pageModels(request.serving.models, size, request.query.after_id);
  });
  app.get<{ Params: { '*': string } }>('/v1/models/*', (request, reply) => {
    reply.header('request-id', request.id);
    const id = request.params['*'];
    const model = request.serving.models.find((candidate) => candidate.id === id);
    if (model === undefined) {
      throw new ApiError(
        'unknown_model',
        `this instance has no model ${JSON.stringify(id.slice(0, 100))}; GET /v1/models lists them`,
      );
    }
    return model;
  });
}
