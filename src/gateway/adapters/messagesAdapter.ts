import type { ProviderConfig, ProviderKey } from '../../config/config.ts';
import type { ApiError } from '../../core/errors.ts';
import { asNumber, type JsonObject } from '../../core/json.ts';
import { replaceModel } from '../../protocol/anthropic/replaceModel.ts';
import { composeRepairs } from '../../quirks/compose.ts';
import { createToolInputRepair, hasSystemMessages, hasToolReferences } from '../../quirks/native.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';
import type { ResolvedModel } from '../../translate/request/context.ts';
import { refuseSilentTruncation } from '../../translate/tokenCalibration.ts';
import { type FailureContext, failureOfBody } from '../../upstream/errors.ts';
import type { UpstreamAttempt } from '../../upstream/exchange.ts';
import type { JsonBodyCodec, RequestBody } from '../requestBody.ts';
import { type RequestContext, recordKey, recordRoute, recordUsage } from '../requestContext.ts';
import type { Plan, Route } from '../route.ts';
import type { IncomingRequest, Services } from '../services.ts';
import { type Adapter, authorizationFor, createFailureContext, learnTokenCount } from './adapter.ts';
import { PassthroughReader, ToolInputFrames } from './messagesStream.ts';
import type { RequestAdaptation } from './requestAdaptation.ts';

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
  const repaired = repairedRequest(object, model);
  if (repaired !== undefined) return bodies.write(repaired, bytes);
  return object.model === model.name ? bytes : replaceModel(bytes, model.name);
}

/** A request that cannot go on as it came; undefined for one that can, but for the name of its model. */
export function repairedRequest(object: RequestBody['object'], model: ResolvedModel): JsonObject | undefined {
  const repaired = model.repairs.nativeRequest(limitOutput(object, model));
  return repaired === object ? undefined : { ...repaired, model: model.name };
}

/** The values of a header that is a list. */
function listed(header: string): string[] {
  return header
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '');
}

/** The client's headers that belong to the API: its version and its beta features, but for those that the provider refuses. */
export function passthroughHeaders(
  { forwarded }: Pick<IncomingRequest, 'forwarded'>,
  { dropBetas }: QuirkSettings,
): Record<string, string> {
  // A header that came twice arrives as one list: the first version counts, and each beta once.
  const { 'anthropic-beta': sent = '', 'anthropic-version': versions = '', ...headers } = forwarded.headers;
  const [version = ''] = listed(versions);
  const isDropped = (beta: string) => dropBetas.some((name) => beta.startsWith(name));
  const all = listed(sent);
  const betas = new Set(all.filter((beta) => !isDropped(beta)));
  return {
    'anthropic-version': version === '' ? DEFAULT_VERSION : version,
    ...headers,
    ...(betas.size === 0 ? {} : { 'anthropic-beta': betas.size === all.length ? sent : [...betas].join(',') }),
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

/** Words about system messages or tool searches, and those that say nothing but that the request is wrong. */
const ABOUT_SYSTEM = /\brole\b|\bsystem\b|mid_conv_system/i;
const ABOUT_SEARCH = /tool_reference|defer_loading|tool[ _]search/i;
const ABOUT_BLOCKS = /content|block|type|variant|\btag\b/i;
const ABOUT_NOTHING =
  /^(?:\[[^\]]*\] )?\W*(?:invalid|bad|malformed|wrong|unprocessable|illegal|error)\b[\w ]{0,40}\W*$/i;

/**
 * What to say in text after a refusal that may mean tool references or system messages inside the conversation. Many endpoints say no
 * more than that the request is invalid; Anthropic's own knows both, and says what it means.
 */
function plainerRequest(error: ApiError, body: JsonObject, settings: QuirkSettings): RequestAdaptation | undefined {
  if (error.code !== 'upstream_invalid_request' && error.code !== 'capability_rejected') return undefined;
  const text = typeof error.cause === 'string' ? error.cause : error.message;
  const isVague = ABOUT_NOTHING.test(text) && !settings.verifiesSignatures;
  const isAboutSearch = isVague || ABOUT_SEARCH.test(text) || (ABOUT_BLOCKS.test(text) && !settings.verifiesSignatures);
  if (!settings.plainToolReferences && isAboutSearch && hasToolReferences(body)) {
    return { settings: { plainToolReferences: true }, advice: 'QUIRK_PLAIN_TOOL_REFERENCES=true' };
  }
  if (!settings.foldSystem && (isVague || ABOUT_SYSTEM.test(text)) && hasSystemMessages(body)) {
    return { settings: { foldSystem: true }, advice: 'QUIRK_FOLD_SYSTEM=true' };
  }
  return undefined;
}

/**
 * Answers a Messages request from a provider that speaks the Messages API itself: the request goes there as the client wrote it, but
 * for the model, and the answer comes back as the provider wrote it. Only a provider's named repairs change more.
 */
export class MessagesAdapter implements Adapter {
  readonly mayRepeatEmpty = false;
  /** With the model as it was last adapted to the provider. */
  route: Route;
  readonly #context: RequestContext;
  readonly #body: RequestBody;
  #sent: Buffer;
  /** What was changed after a refusal; remembered when the request is then answered. */
  #adaptation: RequestAdaptation | undefined;
  #key: ProviderKey;
  #reader: PassthroughReader | undefined;

  constructor(context: RequestContext, plan: Plan, body: RequestBody, route: Route) {
    this.route = route;
    this.#context = context;
    this.#body = body;
    this.#key = route.backend.provider.key;
    if (route.model.settings.silentTruncation) refuseSilentTruncation(this.#estimate, route.model.settings);
    this.#sent = passthroughBody(body, route.model, context.services.bodies);
    recordRoute(context, route);
    // In place of what was noted for a candidate before this one.
    context.record.droppedFields = undefined;
    context.record.toolsLeftOut = undefined;
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
    return createFailureContext(services, this.route, this.#key, this.#estimate, incoming);
  }

  /** Tokens of the input; 0 where only the provider can make sense of it. */
  get #estimate(): number {
    const measured = this.#body.measuredIfReadable;
    return measured === undefined ? 0 : this.#context.services.calibration.estimate(this.route.model.name, measured);
  }

  /** Says in text what the endpoint does not seem to know in blocks and roles of their own. */
  adaptRequest(error: ApiError): boolean {
    const { model } = this.route;
    const adaptation = plainerRequest(error, this.#body.object, model.settings);
    if (adaptation === undefined) return false;
    this.#adaptation = {
      settings: { ...this.#adaptation?.settings, ...adaptation.settings },
      advice: [this.#adaptation?.advice, adaptation.advice].filter((line) => line !== undefined).join(' and '),
    };
    const settings = { ...model.settings, ...adaptation.settings };
    const adapted = { ...model, settings, repairs: composeRepairs(settings) };
    this.route = { ...this.route, model: adapted };
    this.#sent = passthroughBody(this.#body, adapted, this.#context.services.bodies);
    return true;
  }

  /** A refusal may have had another reason: only what has helped is remembered. */
  #rememberAdaptation(): void {
    if (this.#adaptation === undefined) return;
    const { services } = this.#context;
    services.models.learn(this.route.ref, this.#adaptation.settings);
    services.logger.warn(
      `the provider refused a part of the request, which is changed from now on; to keep it so, set ${this.#adaptation.advice}`,
      { model: this.route.model.name },
    );
    this.#adaptation = undefined;
  }

  bodyOf(output: string): string {
    return output;
  }

  /** Learns from the provider's own count, too. */
  record(): void {
    const { record } = this.#context;
    const reader = this.#reader;
    if (reader === undefined) return;
    record.upstreamModel = reader.upstreamModel ?? record.upstreamModel;
    record.stopReason = reader.stopReason;
    if (reader.outcome.ended && reader.outcome.error === undefined) this.#rememberAdaptation();
    const { usage } = reader;
    if (usage === undefined) return;
    recordUsage(record, usage, reader.outcome.ended);
    const measured = reader.outcome.ended ? this.#body.measuredIfReadable : undefined;
    if (measured === undefined) return;
    const promptTokens = usage.input + usage.cacheRead + usage.cacheWrite;
    learnTokenCount(this.#context, this.route, measured, promptTokens);
  }
}
