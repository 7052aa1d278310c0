import type { ProviderKey } from '../config/config.ts';
import { ApiError } from '../core/errors.ts';
import { isObject, type JsonObject } from '../core/json.ts';
import { replaceModel } from '../protocol/anthropic/replaceModel.ts';
import { parseBoundedObject } from '../protocol/bounds.ts';
import type { Usage } from '../protocol/delta.ts';
import {
  chatErrorBody,
  chatErrorEvent,
  isErrorBody,
  readErrorBody,
  type UpstreamErrorBody,
} from '../protocol/openai/errors.ts';
import { readUsage } from '../protocol/openai/tokenUsage.ts';
import { SseFrameSplitter, SseReader } from '../protocol/sse.ts';
import type { RequestRecord } from '../telemetry/requestRecord.ts';
import { type FailureContext, failureOfBody } from '../upstream/errors.ts';
import type { UpstreamAttempt } from '../upstream/exchange.ts';
import { type AnswerReader, type Output, openOutcome } from '../upstream/upstream.ts';
import { type Adapter, authorizationFor, createFailureContext } from './adapters/adapter.ts';
import { respondWithFallback } from './fallback/fallbackRunner.ts';
import type { RequestBody } from './requestBody.ts';
import {
  admitClient,
  handleRequest,
  type RequestContext,
  type RequestHandler,
  recordError,
  recordKey,
  recordPlan,
  recordRoute,
  recordUsage,
} from './requestContext.ts';
import type { ResponseWriter, SseFormat } from './responseWriter.ts';
import { isNative, type Plan, planRequest, type Route, routeTo } from './route.ts';
import type { IncomingRequest, Services } from './services.ts';

/** A finish reason in the text of a chunk; inside a string its quotes would be escaped. */
const FINISH = /"finish_reason"\s*:\s*"/;

/** Hands an answer on as it comes, byte for byte, and reads usage and model on the side. */
export class RelayReader implements AnswerReader {
  readonly outcome = openOutcome();
  usage: Usage | undefined;
  upstreamModel: string | undefined;
  /** An error that the provider has sent within its answer, and that is handed on as it is. */
  error: ApiError | undefined;
  /** Whether the provider answered with one JSON body. */
  isWhole = false;
  readonly #sse = new SseReader((data) => this.#look(data));
  readonly #frames = new SseFrameSplitter();
  readonly #toApiError: (body: UpstreamErrorBody) => ApiError;
  #started = false;
  #finished = false;

  constructor(toApiError: (body: UpstreamErrorBody) => ApiError) {
    this.#toApiError = toApiError;
  }

  /** Hands whole frames on, so that an error event never stands in the middle of one. */
  pushBytes(bytes: Uint8Array): Uint8Array {
    this.#sse.push(bytes);
    const frames = this.#frames.push(bytes);
    this.#started ||= frames.length > 0;
    return frames;
  }

  pushJson(text: string): string {
    this.isWhole = true;
    try {
      this.#look(text);
    } catch (error) {
      // What holds too much to be parsed, as some thousand tokens with their logprobs do, is handed on without a count.
      if (!(error instanceof ApiError)) throw error;
    }
    this.outcome.ended = true;
    return text;
  }

  /** Half an answer must not pass for a whole one; what ended it is reported once. */
  end(): Output {
    this.#sse.end();
    if (this.outcome.ended) return this.#frames.rest();
    return this.fail(new ApiError('overloaded', 'upstream stream ended early'));
  }

  settle(): string {
    return '';
  }

  fail(error: ApiError): Output {
    if (this.#finished || this.error !== undefined) {
      this.outcome.ended = true;
      return this.#frames.rest();
    }
    this.outcome.error = error;
    return this.#started ? chatErrorEvent(error) : '';
  }

  #look(data: string): void {
    this.#finished ||= FINISH.test(data);
    this.outcome.ended ||= data.trim() === '[DONE]';
    // Most events carry none of these; parsing them all would cost more than handing them on.
    if (this.upstreamModel !== undefined && !data.includes('"usage"') && !data.includes('"error"')) return;
    const chunk = parseBoundedObject(data);
    if (!isObject(chunk)) return;
    if (isErrorBody(chunk)) this.error ??= this.#toApiError(readErrorBody(chunk));
    if (typeof chunk['model'] === 'string') this.upstreamModel = chunk['model'];
    this.usage = readUsage(chunk['usage']) ?? this.usage;
  }
}

/** Answers a chat completions request from a provider of that API: both go through byte for byte, but for the model; errors, too. */
export class RelayAdapter implements Adapter {
  readonly mayRepeatEmpty = false;
  readonly route: Route;
  readonly #context: RequestContext;
  readonly #sent: Buffer;
  #key: ProviderKey;
  #reader: RelayReader | undefined;

  constructor(context: RequestContext, plan: Plan, { bytes, object }: RequestBody, route: Route) {
    this.route = route;
    this.#context = context;
    this.#key = route.backend.provider.key;
    this.#sent = object.model === route.model.name ? bytes : replaceModel(bytes, route.model.name);
    recordRoute(context, route);
    // Whatever else the model is asked by.
    context.record.protocol = 'chat';
    if (plan.notes.length > 0) context.record.notes = plan.notes;
  }

  get isWhole(): boolean {
    return this.#reader?.isWhole === true;
  }

  createAttempt(key: ProviderKey): UpstreamAttempt {
    this.#key = key;
    recordKey(this.#context, this.route, key);
    const { services, incoming, record } = this.#context;
    const { model, backend } = this.route;
    const { idleTimeoutMs, usageWaitMs } = model.settings;
    const request = {
      model: model.name,
      body: this.#sent,
      stream: record.stream,
      authorization: authorizationFor(services, incoming, backend.provider, key),
    };
    this.#reader = new RelayReader((body) => failureOfBody(body, body.status, this.failureContext()));
    return { request, reader: this.#reader, idleTimeoutMs, usageWaitMs };
  }

  failureContext(): FailureContext {
    const { services, incoming } = this.#context;
    return { ...createFailureContext(services, this.route, this.#key, 0, incoming), relayed: true };
  }

  adaptRequest(): boolean {
    return false;
  }

  bodyOf(output: string): string {
    return output;
  }

  record(): void {
    const { record } = this.#context;
    const reader = this.#reader;
    record.upstreamModel = reader?.upstreamModel ?? record.upstreamModel;
    if (reader?.error !== undefined) recordError(this.#context, reader.error, 'interrupted');
    if (reader?.usage === undefined) return;
    recordUsage(record, reader.usage, reader.outcome.ended);
  }
}

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
