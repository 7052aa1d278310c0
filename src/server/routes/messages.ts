import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from '../../core/errors.ts';
import { answerChatCompletions } from '../../gateway/chatCompletions.ts';
import type { ActiveServices } from '../../gateway/configSwap.ts';
import { countTokens } from '../../gateway/countTokens.ts';
import { dryRun } from '../../gateway/dryRun.ts';
import type { ProcessFacts } from '../../gateway/introspection.ts';
import { answerMessages } from '../../gateway/messages.ts';
import type { Forwarded, IncomingRequest } from '../../gateway/services.ts';
import type { TraceHeaders } from '../../otlp/tracer.ts';
import { HttpResponseWriter, onClientGone } from '../responseWriter.ts';

/** Headers of the Messages API itself; whatever else the client sends is its own business. */
const API_HEADERS = ['anthropic-version', 'anthropic-beta', 'accept'];

/** What of a request may go along to the provider; read when it is asked for, as most requests need none of it. */
export class ForwardedRequest implements Forwarded {
  readonly #request: FastifyRequest;

  constructor(request: FastifyRequest) {
    this.#request = request;
  }

  get query(): string {
    const url = this.#request.raw.url ?? '';
    const query = url.indexOf('?');
    return query === -1 ? '' : url.slice(query);
  }

  get headers(): Record<string, string> {
    const { headers } = this.#request;
    return Object.fromEntries(
      API_HEADERS.flatMap((name) => {
        const value = headers[name];
        return typeof value === 'string' ? [[name, value] as const] : [];
      }),
    );
  }

  get trace(): TraceHeaders {
    return {
      traceparent: singleHeader(this.#request, 'traceparent'),
      tracestate: singleHeader(this.#request, 'tracestate'),
    };
  }

  get credentials(): Record<string, string> {
    return this.#request.serving.authenticator.credentials(this.#request.headers);
  }

  get providerKey(): string | undefined {
    return this.#request.serving.authenticator.providerKey(this.#request.headers);
  }
}

function singleHeader(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** Users write the base URL with and without /v1; all of these are meant. */
const MESSAGE_PATHS = ['/v1/messages', '/v1/v1/messages', '/messages'];

/** The routes that carry a conversation: Messages API, its token count, its dry run, and chat completions. */
export function addMessageRoutes(app: FastifyInstance, active: ActiveServices, facts: ProcessFacts): void {
  const incomingOf = (request: FastifyRequest, endpoint: string): IncomingRequest => {
    const { id, body } = request;
    if (!Buffer.isBuffer(body)) {
      throw new ApiError('wrong_content_type', 'the body must be JSON with content-type application/json');
    }
    return {
      id,
      endpoint,
      body,
      forwarded: new ForwardedRequest(request),
      session: singleHeader(request, 'x-claude-code-session-id'),
      agent: singleHeader(request, 'x-claude-code-agent-id'),
      userAgent: singleHeader(request, 'user-agent'),
      client: request.client,
      timeoutSeconds: Number(request.headers['x-stainless-timeout']),
    };
  };

  const addAnswer = (path: string, endpoint: string, answer: typeof answerMessages, idHeader?: 'x-request-id') => {
    app.post(path, (request, reply) => {
      const incoming = incomingOf(request, endpoint);
      // The answer is written to the socket itself: the framework's stream handling costs twice as much (measured).
      reply.hijack();
      const { services } = request.serving;
      // The provider may go on after the client has got its answer, with the tokens for instance.
      const release = active.lease(services);
      void answer(services, incoming, new HttpResponseWriter(reply.raw, request.id, facts.isDraining, idHeader)).then(
        release,
      );
    });
  };
  for (const path of MESSAGE_PATHS) {
    addAnswer(path, '/v1/messages', answerMessages);
    app.post(`${path}/count_tokens`, (request, reply) => {
      reply.header('request-id', request.id);
      const incoming = incomingOf(request, '/v1/messages/count_tokens');
      return countTokens(request.serving.services, incoming, (listener) => onClientGone(reply.raw, listener));
    });
  }
  addAnswer('/v1/chat/completions', '/v1/chat/completions', answerChatCompletions, 'x-request-id');
  app.post('/v1/messages/test_conversion', (request, reply) => {
    reply.header('request-id', request.id).type('application/json; charset=utf-8');
    return dryRun(request.serving.services, incomingOf(request, '/v1/messages/test_conversion'));
  });
}
