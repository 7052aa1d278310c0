import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError, asApiError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errorTable.ts';
import { createId } from '../gateway/requestContext.ts';
import { errorBody, errorHeaders } from '../protocol/anthropic/errors.ts';
import type { RequestRecord } from '../telemetry/requestRecord.ts';

const FRAMEWORK_CODES: Record<string, readonly [ErrorCode, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['request_too_large', 'the body is larger than MAX_BODY_BYTES'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['wrong_content_type', 'the content-type must be application/json'],
  FST_ERR_CTP_EMPTY_TYPE: ['wrong_content_type', 'the content-type must be application/json'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid_request', 'the body is not as long as content-length says'],
  FST_ERR_BAD_URL: ['unknown_route', 'the path cannot be read'],
  FST_ERR_MAX_PARAM_LENGTH: ['unknown_route', 'the path is too long'],
};

/** Any thrown value as an error that can be answered; what is not ours becomes a 500 without details of the inside. */
export function toApiError(error: unknown): ApiError {
  const known = FRAMEWORK_CODES[(error as Partial<FastifyError>).code ?? ''];
  if (known !== undefined) return new ApiError(known[0], known[1]);
  return asApiError(error);
}

/** A client that says nothing for so long while its body is dropped is not waited for any more, in ms. */
const SILENCE_MS = 1000;

/**
 * Drops a body that nobody wants as it comes: a client under which the connection is closed while it sends would fail before it has read
 * why. The limit of time for a body holds for this one, too.
 */
function dropBody(reply: FastifyReply, { raw, headers }: FastifyRequest): void {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (raw.complete || !hasBody || raw.httpVersion !== '1.1') return;
  reply.header('connection', 'keep-alive');
  const silence = setTimeout(() => raw.destroy(), SILENCE_MS);
  raw.on('data', () => silence.refresh());
  raw.once('close', () => {
    clearTimeout(silence);
    if (headers.connection?.toLowerCase() === 'close') raw.socket.destroySoon();
  });
  raw.resume();
}

/** Answers in Anthropic's envelope, with the request id in header and body. */
export function sendError(reply: FastifyReply, request: FastifyRequest, error: ApiError): FastifyReply {
  dropBody(reply, request);
  return reply
    .code(error.status)
    .headers({ ...errorHeaders(error), 'request-id': request.id, 'content-type': 'application/json; charset=utf-8' })
    .send(errorBody(error, request.id));
}

const CLIENT_ERRORS: Record<string, readonly [ErrorCode, string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'the request did not arrive in time'],
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'the headers are larger than 16 KB'],
};

/** Whether an answer is being written to the socket: a second head would stand in the middle of its body. */
function isAnswering(socket: Socket & { _httpMessage?: { headersSent: boolean } | null }): boolean {
  // Node's own handler looks at the same field of the connection.
  return socket._httpMessage?.headersSent === true;
}

/** Answers what is not HTTP, or not in time, before a request exists for the framework. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) {
    socket.destroy();
    return;
  }
  const [code, message] =
    CLIENT_ERRORS[error.code ?? ''] ?? (['invalid_request', 'the request is not valid HTTP'] as const);
  const answer = new ApiError(code, message);
  const requestId = createId('req_');
  const body = errorBody(answer, requestId);
  socket.end(
    `HTTP/1.1 ${answer.status} Error\r\ncontent-type: application/json; charset=utf-8\r\nrequest-id: ${requestId}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** Counts and logs a request that was refused before the gateway saw it, so that its id can be found in the log. */
export function logRefusal(request: FastifyRequest, error: ApiError): void {
  const { config, stats, logger } = request.serving.services;
  const record: RequestRecord = {
    id: request.id,
    endpoint: request.routeOptions.url ?? request.url.split('?', 1)[0] ?? '',
    provider: config.provider.preset.name,
    client: request.client?.name,
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
