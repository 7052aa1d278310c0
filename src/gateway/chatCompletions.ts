import { ApiError } from '../core/errors.ts';
import { isObject } from '../core/json.ts';
import { errorHeaders } from '../protocol/anthropic/errorBody.ts';
import { chatErrorBody, chatErrorEvent } from '../protocol/openai/errorEnvelope.ts';
import type { ClientPort } from './clientPort.ts';
import { createFailureContext } from './failureContext.ts';
import { readBody } from './readBody.ts';
import { relayAnswer } from './relay.ts';
import { RelayReader } from './relayReader.ts';
import { findRoute } from './route.ts';
import { authorizationFor, type Run, recordRoute, runRequest } from './run.ts';
import type { IncomingRequest, Services } from './services.ts';

function parseChat(body: Buffer): Record<string, unknown> & { model: string } {
  const request = readBody(body);
  if (!isObject(request) || typeof request['model'] !== 'string' || request['model'] === '') {
    throw new ApiError('invalid_request', 'model: a chat completions request needs the name of a model');
  }
  if (!Array.isArray(request['messages'])) {
    throw new ApiError('invalid_request', 'messages: a chat completions request needs a list of messages');
  }
  return { ...request, model: request['model'] };
}

function recordUsage({ record }: Run, reader: RelayReader): void {
  record.upstreamModel = reader.upstreamModel ?? record.upstreamModel;
  if (reader.usage === undefined) return;
  record.inputTokens = reader.usage.input;
  record.cacheReadTokens = reader.usage.cacheRead;
  record.cacheCreationTokens = reader.usage.cacheCreation;
  record.outputTokens = reader.usage.output;
  record.reasoningTokens = reader.usage.reasoning;
}

async function answer(run: Run): Promise<void> {
  const { services, incoming, record } = run;
  const request = parseChat(incoming.body);
  const route = findRoute(services, request.model);
  const { target, destination } = route;
  if (destination.provider.preset.protocol === 'anthropic') {
    throw new ApiError('not_supported', 'the provider of this model has no chat completions: use /v1/messages');
  }
  recordRoute(run, request.model, route);
  record.stream = request['stream'] === true;
  const { idleTimeoutMs, usageWaitMs } = target.settings;
  const body = JSON.stringify({ ...request, model: target.model });
  await relayAnswer(run, {
    route,
    authorization: authorizationFor(run, destination.provider),
    createAttempt: () => ({
      model: target.model,
      body,
      stream: record.stream,
      reader: new RelayReader(),
      idleTimeoutMs,
      usageWaitMs,
    }),
    failureContext: () => createFailureContext(services, route, 0, incoming),
    ping: undefined,
    errorText: chatErrorEvent,
    record: (reader) => recordUsage(run, reader),
  });
}

/**
 * Answers `POST /v1/chat/completions`: a client of OpenAI's API through the same instance. The model is mapped, key and headers
 * are the instance's; everything else of the request, and every byte of the answer, is handed on as it is.
 */
export function answerChatCompletions(services: Services, incoming: IncomingRequest, port: ClientPort): Promise<void> {
  return runRequest(services, incoming, port, answer, (error) =>
    port.sendJson(error.status, errorHeaders(error), chatErrorBody(error)),
  );
}
