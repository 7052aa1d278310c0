import { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { ClientToken } from '../config/config.ts';
import { localDay } from '../core/clock.ts';
import { ApiError } from '../core/errors.ts';
import type { ActiveServices } from '../gateway/configSwap.ts';
import type { ProcessFacts } from '../gateway/introspection.ts';
import { createId } from '../gateway/requestContext.ts';
import type { Services } from '../gateway/services.ts';
import { listModels, type ModelInfo } from '../routing/modelList.ts';
import { type Authenticator, checkClient, createAuthenticator, createOriginCheck, LoginThrottle } from './access.ts';
import { answerClientError, logRefusal, sendError, toApiError } from './errors.ts';
import { BodyMemory, MemoryGuard } from './memoryGuard.ts';
import {
  addInformationRoutes,
  addModelRoutes,
  addStatisticsRoutes,
  addTestConnectionRoute,
  addUnsupportedRoutes,
} from './routes/info.ts';
import { addMessageRoutes } from './routes/messages.ts';

// Functions, as the executable loads zlib when it is first used (scripts/build/executableMain.cjs).
const DECODERS = new Map<string, (options: { chunkSize: number }) => Transform>([
  ['gzip', (options) => createGunzip(options)],
  ['x-gzip', (options) => createGunzip(options)],
  ['deflate', (options) => createInflate(options)],
  ['br', (options) => createBrotliDecompress(options)],
  ['zstd', (options) => createZstdDecompress(options)],
]);

/** Pieces of a decoded body, which most bodies are in one of. Few large ones go back to the system when they are free, many small ones may not. */
const SMALL_BYTES = 4096;
const SMALL_CHUNK_BYTES = 32 * 1024;
const LARGE_CHUNK_BYTES = 256 * 1024;

/**
 * Decodes a compressed request body; one that grows beyond the limit is refused while it is decoded.
 * @param grow is called with the size that it has reached, and may throw to end it
 */
export async function decodeBody(
  encoding: string,
  body: Buffer,
  maxBytes: number,
  grow: (bytes: number) => void,
): Promise<Buffer> {
  const name = encoding.toLowerCase();
  if (name === 'identity' || name === '') return body;
  const decoder = DECODERS.get(name)?.({
    chunkSize: body.length < SMALL_BYTES ? SMALL_CHUNK_BYTES : LARGE_CHUNK_BYTES,
  });
  if (decoder === undefined) {
    throw new ApiError(
      'wrong_content_type',
      `content-encoding ${name.slice(0, 40)} is not known; use gzip, deflate, br, zstd or none`,
    );
  }
  const pieces: Buffer[] = [];
  let size = 0;
  decoder.end(body);
  try {
    for await (const piece of decoder) {
      size += piece.length;
      if (size > maxBytes) {
        throw new ApiError('request_too_large', `the decoded body is larger than ${maxBytes} bytes (MAX_BODY_BYTES)`);
      }
      grow(size);
      pieces.push(piece);
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError('invalid_request', `the body is not valid ${name}`);
  }
  return Buffer.concat(pieces, size);
}

/** One configuration as the server works with it. A request keeps from its first line on what was current then. */
export interface Serving {
  readonly services: Services;
  readonly checkOrigin: ReturnType<typeof createOriginCheck>;
  readonly authenticator: Authenticator;
  readonly models: readonly ModelInfo[];
}

declare module 'fastify' {
  interface FastifyRequest {
    serving: Serving;
    /** Whose token came with it, where it is not the instance's own. */
    client: ClientToken | undefined;
    /** Of a request that may have a body. */
    memory: BodyMemory | undefined;
  }
}

function createServing(services: Services): Serving {
  const { config } = services;
  return {
    services,
    checkOrigin: createOriginCheck(config.host, config.allowedHosts),
    authenticator: createAuthenticator(config.clientToken, config.clients?.clients),
    models: listModels(config, config.provider.preset.checked),
  };
}

const HEADERS_TIMEOUT_MS = 10_000;
const BODY_TIMEOUT_MS = 60_000;
/** Longer than clients keep an idle connection, so that the client closes first and never meets a closing socket. */
const KEEP_ALIVE_MS = 75_000;
const TIMEOUT_CHECK_MS = 2_000;

/** Routes that anyone on this machine may ask: whether there is an instance, and which. */
const OPEN_ROUTES = new Set(['/', '/health', '/healthz', '/api/hello']);

/**
 * Gives each request what it is served with, keeps that in working order until it is answered, and checks who calls. Refuses a body for
 * which there is no memory: before it comes where its length is known, else while it comes or is decoded.
 */
function addServing(app: FastifyInstance, active: ActiveServices, maxBytes: number): void {
  const { clock, logger } = active.current;
  const guard = new MemoryGuard(clock);
  const throttle = new LoginThrottle(clock, logger);
  let serving = createServing(active.current);
  app.decorateRequest('serving');
  app.decorateRequest('client');
  app.decorateRequest('memory');
  app.addHook('onRequest', (request, reply, done) => {
    if (serving.services !== active.current) serving = createServing(active.current);
    const { services, checkOrigin, authenticator } = serving;
    request.serving = serving;
    reply.raw.once('close', active.lease(services));
    checkOrigin(request.raw, request.routeOptions.url);
    // The route as it was matched, never a path rebuilt from the URL, decides who may pass (CVE-2026-49468 elsewhere).
    if (authenticator.isRequired && !OPEN_ROUTES.has(request.routeOptions.url ?? '')) {
      const hasToken = authenticator.hasCredentials(request.headers);
      throttle.check(request.ip, hasToken, () => {
        request.client = authenticator.check(request.headers);
      });
      if (request.client !== undefined) checkClient(request.client, request.routeOptions.url, localDay(clock.now()));
    }
    if (request.method === 'POST') {
      request.memory = new BodyMemory(guard, reply.raw);
      // One above the limit is refused for that.
      request.memory.grow(Math.min(Number(request.headers['content-length'] ?? 0), maxBytes));
    }
    done();
  });
  app.addHook('preParsing', (request, _reply, payload, done) => {
    if (request.headers['transfer-encoding'] === undefined) done(null, payload);
    else done(null, payload.pipe(countBytes((bytes) => request.memory?.grow(bytes))));
  });
}

/** Hands bytes on, and says each time how many there were so far; what that throws ends them. */
function countBytes(grow: (bytes: number) => void): Transform {
  let size = 0;
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      size += piece.length;
      try {
        grow(size);
        done(null, piece);
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

function acceptJsonOnly(app: FastifyInstance, maxBytes: number): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request: FastifyRequest, body: Buffer, done) => {
    const encoding = request.headers['content-encoding'];
    // The usual body is there at once: a promise would put it off behind all else that is to be done.
    if (encoding === undefined) return done(null, body);
    const grow = (bytes: number) => request.memory?.grow(bytes);
    decodeBody(encoding, body, maxBytes, grow).then((decoded) => done(null, decoded), done);
  });
}

/** The methods of each path, as the routes are added. */
function knownMethods(app: FastifyInstance): ReadonlyMap<string, readonly string[]> {
  const known = new Map<string, string[]>();
  app.addHook('onRoute', ({ url, method }) => {
    known.set(url, [...(known.get(url) ?? []), ...[method].flat()]);
  });
  return known;
}

function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = toApiError(thrown);
    if (error.code === 'internal') {
      request.serving.services.logger.error('request failed inside the proxy', {
        id: request.id,
        reason: String((thrown as Error).stack),
      });
    }
    logRefusal(request, error);
    return sendError(reply, request, error);
  });
  const known = knownMethods(app);
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]?.replace(/(?<=.)\/$/, '') ?? '';
    const methods = known.get(path) ?? [];
    const error =
      methods.length === 0
        ? new ApiError('unknown_route', 'there is no such endpoint; GET / lists them')
        : new ApiError('wrong_method', `this endpoint takes ${methods.join(' or ')} only`);
    if (methods.length > 0) reply.header('allow', methods.join(', '));
    logRefusal(request, error);
    return sendError(reply, request, error);
  });
}

/** The HTTP face of one instance: checks who calls, and hands the rest to the gateway. */
export function createApp(active: ActiveServices, facts: ProcessFacts): FastifyInstance {
  const { maxBodyBytes } = active.current.config.limits;
  const app = Fastify({
    logger: false,
    bodyLimit: maxBodyBytes,
    requestTimeout: BODY_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: TIMEOUT_CHECK_MS },
    // A stopping instance still serves what reaches it on open connections (decision 0019).
    return503OnClosing: false,
    forceCloseConnections: false,
    exposeHeadRoutes: false,
    genReqId: () => createId('req_'),
    routerOptions: { ignoreTrailingSlash: true },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => sendError(reply, request, toApiError(error)),
  });
  addServing(app, active, maxBodyBytes);
  acceptJsonOnly(app, maxBodyBytes);
  answerErrors(app);
  addMessageRoutes(app, active, facts);
  addModelRoutes(app);
  addInformationRoutes(app, facts);
  addStatisticsRoutes(app, facts);
  addTestConnectionRoute(app);
  addUnsupportedRoutes(app);
  return app;
}
