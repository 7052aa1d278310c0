import type { FastifyRequest } from 'fastify';
import type { Forwarded } from '../gateway/services.ts';

/** Headers of the Messages API itself; whatever else the client sends is its own business (R152). */
const API_HEADERS = ['anthropic-version', 'anthropic-beta', 'accept'];

/** What of a request may go along to a provider that speaks the Messages API itself; read when it is asked for, as others need none of it. */
export function readForwarded({ raw, headers, serving }: FastifyRequest): Forwarded {
  const url = raw.url ?? '';
  const query = url.indexOf('?');
  return {
    query: query === -1 ? '' : url.slice(query),
    get headers() {
      return Object.fromEntries(
        API_HEADERS.flatMap((name) => {
          const value = headers[name];
          return typeof value === 'string' ? [[name, value] as const] : [];
        }),
      );
    },
    get credentials() {
      return serving.authenticator.credentials(headers);
    },
  };
}
