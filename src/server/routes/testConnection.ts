import type { FastifyInstance } from 'fastify';
import { createProbe } from '../../gateway/connectionTest.ts';
import { onClientGone } from '../clientGone.ts';
import { readForwarded } from '../forwarded.ts';

/** `GET /test-connection`: a real small request to the provider; 503 with suggestions when it fails. */
export function addTestConnectionRoute(app: FastifyInstance): void {
  const probe = createProbe();

  app.get('/test-connection', async (request, reply) => {
    const { services, authenticator } = request.serving;
    const { status, body } = await probe.run(
      services,
      {
        id: request.id,
        endpoint: '/test-connection',
        providerKey: authenticator.providerKey(request.headers),
        forwarded: readForwarded(request),
        session: undefined,
        agent: undefined,
        userAgent: request.headers['user-agent'],
      },
      (end) => onClientGone(reply.raw, end),
    );
    return reply.code(status).headers({ 'request-id': request.id, 'cache-control': 'no-store' }).send(body);
  });
}
