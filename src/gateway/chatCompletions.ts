import { ApiError } from '../core/errors.ts';
import { isObject, type JsonObject } from '../core/json.ts';
import { chatErrorBody, chatErrorEvent } from '../protocol/openai/errors.ts';
import type { RequestRecord } from '../telemetry/requestRecord.ts';
import { RelayAdapter } from './adapters/relayAdapter.ts';
import { respondWithFallback } from './fallback/fallbackRunner.ts';
import type { RequestBody } from './requestBody.ts';
import { admitClient, handleRequest, type RequestContext, type RequestHandler, recordPlan } from './requestContext.ts';
import type { ResponseWriter, SseFormat } from './responseWriter.ts';
import { isNative, planRequest, routeTo } from './route.ts';
import type { IncomingRequest, Services } from './services.ts';

function parseChat(body: RequestBody): JsonObject {
  const request = body.value;
  if (!isObject(request) || typeof request['model'] !== 'string' || request['model'] === '') {
    throw new ApiError('invalid_request', 'model: a chat completions request needs the name of a model');
  }
  if (!Array.isArray(request['messages'])) {
    throw new ApiError('invalid_request', 'messages: a chat completions request needs a list of messages');
  }
  return request;
}

async function answer(context: RequestContext, body: RequestBody): Promise<void> {
  const { services, incoming, record } = context;
  const request = parseChat(body);
  const planned = planRequest(services, incoming, body);
  const chat = { ...planned, candidates: planned.candidates.filter((ref) => !isNative(routeTo(services, ref))) };
  if (chat.candidates.length === 0) {
    throw new ApiError('not_supported', 'the provider of this model has no chat completions: use /v1/messages');
  }
  recordPlan(context, chat);
  const plan = admitClient(context, chat, body);
  record.stream = request['stream'] === true;
  await respondWithFallback(context, plan, FORMAT, (route) => new RelayAdapter(context, plan, body, route));
}

const FORMAT: SseFormat = { ping: undefined, errorText: chatErrorEvent };

const CHAT_COMPLETIONS: RequestHandler = { answer, errorBody: chatErrorBody };

/**
 * Answers `POST /v1/chat/completions`: a client of OpenAI's API through the same instance. The model is mapped, key and headers
 * are the instance's; everything else of the request, and every byte of the answer, is handed on as it is.
 */
export function answerChatCompletions(
  services: Services,
  incoming: IncomingRequest,
  writer: ResponseWriter,
): Promise<Readonly<RequestRecord>> {
  return handleRequest(services, incoming, writer, CHAT_COMPLETIONS);
}
