import type { ProviderConfig, ProviderKey } from '../../config/config.ts';
import { ApiError } from '../../core/errors.ts';
import { createRedactor, Secret } from '../../core/secret.ts';
import type { MessagesRequest } from '../../protocol/anthropic/request.ts';
import { findSearch, hasSearches, toToolRequestInSteps } from '../../search/history.ts';
import { CUT_NOTE, wasCutSilently } from '../../translate/tokenCalibration.ts';
import type { TokenParts } from '../../translate/tokens.ts';
import type { FailureContext } from '../../upstream/errors.ts';
import { DISCARD, Exchange, type ExchangeResult, type UpstreamAttempt } from '../../upstream/exchange.ts';
import type { AnswerReader, UpstreamRequest } from '../../upstream/upstream.ts';
import { listOf, RequestBody, runCooperatively } from '../requestBody.ts';
import type { RequestContext } from '../requestContext.ts';
import { isNative, type Route } from '../route.ts';
import type { IncomingRequest, Services } from '../services.ts';

/** The way in which one candidate answers the client's request: what it is sent, and how its answer is read. */
export interface Adapter {
  readonly route: Route;
  /** Whether an answer that says nothing is asked for once more. */
  readonly mayRepeatEmpty: boolean;
  /**
   * Makes the next attempt; each has a reader of its own.
   * @throws ApiError when there is no key to send
   */
  createAttempt(key: ProviderKey): UpstreamAttempt | Promise<UpstreamAttempt>;
  /** What the error messages of the latest attempt need to know. */
  failureContext(): FailureContext;
  /** Drops or renames the part of the request that the provider refused; false when nothing can be changed. */
  adaptRequest(error: ApiError): boolean | Promise<boolean>;
  /** The whole answer in place of an error that is none in the client's protocol; undefined for any other. */
  answerInstead?(error: ApiError): string | undefined;
  /** Whether the latest attempt is answered with one body rather than with events. */
  readonly isWhole: boolean;
  /**
   * The body of such an answer, after its end.
   * @param output what its reader has given out
   */
  bodyOf(output: string): string;
  /** Writes into the log line what the answer has come to. */
  record(): void;
}

/**
 * The body of a request in which the searches of the web are calls of a tool. What it has in common with others of the conversation is
 * not read again.
 * @param request makes it in steps
 * @param bytes of the client's request
 */
export function bodyOfToolRequest(
  services: Services,
  request: Generator<void, MessagesRequest>,
  bytes: number,
): RequestBody | Promise<RequestBody> {
  return runCooperatively(writeInSteps(services, request), bytes);
}

function* writeInSteps({ bodies }: Services, steps: Generator<void, MessagesRequest>): Generator<void, RequestBody> {
  const request = yield* steps;
  yield* bodies.writer.prepare(request);
  return new RequestBody(bodies.writer.write(request), request, bodies.cache);
}

/** The request as any model can read it: where this proxy searches the web, with the searches as calls of a tool. Nothing is searched. */
export function expandSearches(services: Services, body: RequestBody): RequestBody | Promise<RequestBody> {
  if (services.search === undefined || listOf(body.value, 'messages').length === 0) return body;
  const search = findSearch(body.object);
  if (search === undefined && !hasSearches(body.object)) return body;
  const request = toToolRequestInSteps(body.parsed, search, [], 'asClientWants', services.search.history);
  return bodyOfToolRequest(services, request, body.bytes.length);
}

/** The request as the model of a route can read it: with descriptions in the place of pictures, where it sees none and another does. */
export function describePictures(
  context: RequestContext,
  body: RequestBody,
  route: Route,
): RequestBody | Promise<RequestBody> {
  const { config, pictures } = context.services;
  if (config.vision === undefined || pictures === undefined) return body;
  return pictures.describe(body, { model: route.model, native: isNative(route) }, context);
}

/** The same without asking anybody, for who only counts or shows. */
export async function previewPictures(services: Services, body: RequestBody, route: Route): Promise<RequestBody> {
  const { config, pictures } = services;
  if (config.vision === undefined || pictures === undefined) return body;
  return pictures.preview(body, { model: route.model, native: isNative(route) }, services);
}

/** The value of the header that carries the key to the provider: the instance's own key, else the client's (decision 0006). */
export function authorizationFor(
  { config }: Services,
  { forwarded }: Pick<IncomingRequest, 'forwarded'>,
  { keyHeader }: ProviderConfig,
  key: ProviderKey,
): string | undefined {
  const scheme = keyHeader === 'authorization' ? 'Bearer ' : '';
  if (key.secret !== undefined) return scheme + key.secret.reveal();
  if (key.source !== 'client') return undefined;
  const { providerKey } = forwarded;
  if (providerKey !== undefined) return scheme + providerKey;
  throw new ApiError(
    'missing_provider_key',
    `[${config.instance}] no key for the provider: put ${key.variable} into the env file, or send yours as ANTHROPIC_AUTH_TOKEN`,
  );
}

/** How the provider of a route is called where it failed: by the instance's name, unless there are others that could be meant. */
function nameOf({ config }: Services, { provider }: Route): string {
  return config.providers.length > 1 ? provider : config.instance;
}

/**
 * What the messages of a provider's errors need to know, and a redactor so that no credential stands in them: neither the instance's own nor the one
 * that the client lends.
 */
export function createFailureContext(
  services: Services,
  route: Route,
  key: ProviderKey,
  inputEstimate: number,
  { forwarded }: Pick<IncomingRequest, 'forwarded'>,
): FailureContext {
  const { model, backend } = route;
  const sent = key.source === 'client' ? Object.values(forwarded.credentials) : [];
  const credentials = sent.map((value) => value.replace(/^Bearer\s+/i, ''));
  const redactClient = createRedactor(credentials.map((value) => new Secret(value)));
  return {
    provider: nameOf(services, route),
    keyName: key.source === 'client' ? 'the key that the client sent' : key.variable,
    model: model.name,
    inputEstimate,
    contextWindow: model.settings.contextWindow,
    errorCodes: backend.provider.preset.errorCodes ?? {},
    native: isNative(route),
    redact: (text) => services.redact(redactClient(text)),
    now: services.clock.now(),
  };
}

/**
 * Learns from the provider's own count how its tokens compare with the estimate, unless it has cut the prompt.
 * @param measured the input before the model's factors
 * @param promptTokens what the provider counted
 */
export function learnTokenCount(
  { services, record }: RequestContext,
  { model }: Route,
  measured: Readonly<TokenParts>,
  promptTokens: number,
): void {
  const { calibration } = services;
  const { name, settings } = model;
  if (settings.silentTruncation && wasCutSilently(promptTokens, calibration.estimate(name, measured), settings)) {
    record.notes = [...(record.notes ?? []), CUT_NOTE];
  } else {
    calibration.observe(name, measured, promptTokens);
  }
}

/** A request to a provider of whose answer nothing goes to a client. */
export interface ProviderQuestion {
  readonly request: UpstreamRequest;
  readonly reader: AnswerReader;
  /** How long the whole answer may take, in ms. */
  readonly timeoutMs: number;
  /** What it is asked for, in the error of an answer that takes longer. */
  readonly purpose: string;
  /** Who lends a key, if anybody does. */
  readonly incoming: Pick<IncomingRequest, 'forwarded'>;
  /** Is given what ends the question early. */
  readonly onGone?: (end: () => void) => void;
}

/** Asks a provider and lets the reader have the answer; never rejects. */
export async function askProvider(
  services: Services,
  route: Route,
  key: ProviderKey,
  { request, reader, timeoutMs, purpose, incoming, onGone }: ProviderQuestion,
): Promise<{ readonly result: ExchangeResult; readonly isReached: boolean }> {
  const controller = new AbortController();
  const late = new ApiError(
    'upstream_timeout',
    `[${route.provider}] no answer to ${purpose} within ${timeoutMs / 1000} s`,
  );
  const deadline = setTimeout(() => controller.abort(late), timeoutMs).unref();
  onGone?.(() => controller.abort());
  const exchange = new Exchange({
    upstream: route.backend.upstream,
    attempt: { request, reader, idleTimeoutMs: timeoutMs, usageWaitMs: route.model.settings.usageWaitMs },
    requestTimeoutMs: timeoutMs,
    failures: { failureContext: () => createFailureContext(services, route, key, 0, incoming) },
    sink: DISCARD,
    signal: controller.signal,
    clock: services.clock,
  });
  const result = await exchange.result;
  clearTimeout(deadline);
  return { result, isReached: exchange.isReached };
}
