import type { ProviderConfig, ProviderKey } from '../../config/config.ts';
import { asNumber, type JsonObject } from '../../core/json.ts';
import { replaceModel } from '../../protocol/anthropic/replaceModel.ts';
import { createToolInputRepair } from '../../quirks/native.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';
import type { ResolvedModel } from '../../translate/request/context.ts';
import { type FailureContext, failureOfBody } from '../../upstream/errors.ts';
import type { UpstreamAttempt } from '../../upstream/exchange.ts';
import type { JsonBodyCodec, RequestBody } from '../requestBody.ts';
import { type RequestContext, recordKey, recordRoute, recordUsage } from '../requestContext.ts';
import type { Route } from '../route.ts';
import type { Plan } from '../routePlan.ts';
import type { IncomingRequest, Services } from '../services.ts';
import { type Adapter, authorizationFor, createFailureContext } from './adapter.ts';
import { PassthroughReader, ToolInputFrames } from './messagesStream.ts';

/** The version of the API that is meant when a client names none; the only one there has been since 2023. */
const DEFAULT_VERSION = '2023-06-01';

/** The request with an output limit within the instance's own bounds, where the user has set any. */
function limitOutput(request: JsonObject, { maxTokensLimit, minTokensLimit }: ResolvedModel): JsonObject {
  const wanted = asNumber(request['max_tokens']);
  if (wanted === undefined) return request;
  const limited = Math.max(minTokensLimit ?? 0, Math.min(wanted, maxTokensLimit ?? wanted));
  return limited === wanted ? request : { ...request, max_tokens: limited };
}

/** What is sent to a native endpoint: the client's bytes but for the model, unless a repair has changed more. */
export function passthroughBody({ bytes, object }: RequestBody, model: ResolvedModel, bodies: JsonBodyCodec): Buffer {
  const repaired = model.repairs.nativeRequest(limitOutput(object, model));
  if (repaired !== object) return bodies.write({ ...repaired, model: model.name });
  return object.model === model.name ? bytes : replaceModel(bytes, model.name);
}

/** The client's headers that belong to the API: its version and its beta features, but for those that the provider refuses. */
export function passthroughHeaders(
  { forwarded }: Pick<IncomingRequest, 'forwarded'>,
  { dropBetas }: QuirkSettings,
): Record<string, string> {
  const { 'anthropic-beta': sent = '', ...headers } = forwarded.headers;
  const isDropped = (beta: string) => dropBetas.some((name) => beta.trim().startsWith(name));
  const betas = sent.split(',').filter((beta) => !isDropped(beta));
  return {
    'anthropic-version': DEFAULT_VERSION,
    ...headers,
    ...(betas.join('').trim() === '' ? {} : { 'anthropic-beta': betas.join(',').trim() }),
  };
}

/** The instance's own key in the provider's header, else what the client sent in the headers in which it came. */
export function passthroughCredentials(
  services: Services,
  incoming: IncomingRequest,
  provider: ProviderConfig,
  key: ProviderKey,
): { authorization: string | undefined; headers: Readonly<Record<string, string>> } {
  const authorization = authorizationFor(services, incoming, provider, key);
  return key.source === 'client'
    ? { authorization: undefined, headers: incoming.forwarded.credentials }
    : { authorization, headers: {} };
}

/**
 * Answers a Messages request from a provider that speaks the Messages API itself: the request goes there as the client wrote it, but
 * for the model, and the answer comes back as the provider wrote it. Only a provider's named repairs change more.
 */
export class MessagesAdapter implements Adapter {
  readonly mayRepeatEmpty = false;
  readonly route: Route;
  readonly #context: RequestContext;
  readonly #body: RequestBody;
  readonly #sent: Buffer;
  #key: ProviderKey;
  #reader: PassthroughReader | undefined;

  constructor(context: RequestContext, plan: Plan, body: RequestBody, route: Route) {
    this.route = route;
    this.#context = context;
    this.#body = body;
    this.#key = route.backend.provider.key;
    this.#sent = passthroughBody(body, route.model, context.services.bodies);
    recordRoute(context, route);
    // In place of what was noted for a candidate before this one.
    context.record.droppedFields = undefined;
    context.record.notes = plan.notes.length > 0 ? plan.notes : undefined;
  }

  get isWhole(): boolean {
    return this.#reader?.isWhole === true;
  }

  createAttempt(key: ProviderKey): UpstreamAttempt {
    this.#key = key;
    recordKey(this.#context, this.route, key);
    const { services, incoming, record } = this.#context;
    const { model, backend } = this.route;
    const { settings, name } = model;
    const { authorization, headers } = passthroughCredentials(services, incoming, backend.provider, key);
    const request = {
      model: name,
      body: this.#sent,
      stream: record.stream,
      suffix: incoming.forwarded.query,
      headers: { ...passthroughHeaders(incoming, settings), ...headers },
      authorization,
    };
    const reader = new PassthroughReader(
      (errorBody) => failureOfBody(errorBody, errorBody.status, this.failureContext()),
      settings.unwrapToolInput ? new ToolInputFrames(createToolInputRepair(this.#body.object['tools'])) : undefined,
    );
    this.#reader = reader;
    return { request, reader, idleTimeoutMs: settings.idleTimeoutMs, usageWaitMs: settings.usageWaitMs };
  }

  failureContext(): FailureContext {
    const { services, incoming } = this.#context;
    const measured = this.#body.measuredIfReadable;
    const estimate = measured === undefined ? 0 : services.calibration.estimate(this.route.model.name, measured);
    return createFailureContext(services, this.route, this.#key, estimate, incoming);
  }

  adaptRequest(): boolean {
    return false;
  }

  bodyOf(output: string): string {
    return output;
  }

  /** Learns from the provider's own count, too. */
  record(): void {
    const { record, services } = this.#context;
    const reader = this.#reader;
    if (reader === undefined) return;
    record.upstreamModel = reader.upstreamModel ?? record.upstreamModel;
    record.stopReason = reader.stopReason;
    const { usage } = reader;
    if (usage === undefined) return;
    recordUsage(record, usage, reader.outcome.ended);
    const measured = reader.outcome.ended ? this.#body.measuredIfReadable : undefined;
    if (measured === undefined) return;
    const promptTokens = usage.input + usage.cacheRead + usage.cacheWrite;
    services.calibration.observe(this.route.model.name, measured, promptTokens);
  }
}
