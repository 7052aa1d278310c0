import type { ProviderConfig } from '../config/config.ts';
import { ApiError } from '../core/errors.ts';
import { asNumber, isObject, type JsonObject } from '../core/json.ts';
import { parseCountRequest } from '../protocol/anthropic/parseRequest.ts';
import { replaceModel } from '../protocol/anthropic/replaceModel.ts';
import type { QuirkSettings } from '../quirks/settings.ts';
import { measureTokens } from '../translate/countTokens.ts';
import type { Target } from '../translate/target.ts';
import type { TokenParts } from '../translate/textTokens.ts';
import { findRoute, type Route } from './route.ts';
import { authorizationFor } from './run.ts';
import type { IncomingRequest, Services } from './services.ts';

/** The version of the API that is meant when a client names none; the only one there has been since 2023. */
const DEFAULT_VERSION = '2023-06-01';

/** A request for a native endpoint. */
export interface PassthroughRequest {
  /** As the client sent it. */
  readonly request: JsonObject & { model: string };
  readonly route: Route;
  /** What is sent: the client's bytes but for the model, unless a repair has changed more. */
  readonly body: string | Buffer;
}

/** Reads what the way through the proxy depends on; all else is the provider's to judge. */
function parseNative(request: unknown): JsonObject & { model: string } {
  if (!isObject(request)) throw new ApiError('invalid_request', 'body: must be a JSON object');
  const { model } = request;
  if (typeof model !== 'string' || model.trim() === '') throw new ApiError('invalid_request', 'model: is missing');
  return { ...request, model };
}

/** The request with an output limit within the instance's own bounds, where the user has set any. */
function limitOutput(request: JsonObject, { maxTokensLimit, minTokensLimit }: Target): JsonObject {
  const wanted = asNumber(request['max_tokens']);
  if (wanted === undefined) return request;
  const limited = Math.max(minTokensLimit ?? 0, Math.min(wanted, maxTokensLimit ?? wanted));
  return limited === wanted ? request : { ...request, max_tokens: limited };
}

/**
 * From the client's bytes to the bytes for the provider; throws ApiError for a request without a model.
 * @param value what the bytes are when parsed
 */
export function preparePassthrough(services: Services, bytes: Buffer, value: unknown): PassthroughRequest {
  const request = parseNative(value);
  const route = findRoute(services, request.model);
  const { target } = route;
  const repaired = target.repairs.nativeRequest(limitOutput(request, target));
  return { request, route, body: bodyOf(bytes, request, repaired, target.model) };
}

function bodyOf(bytes: Buffer, request: JsonObject, repaired: JsonObject, model: string): string | Buffer {
  if (repaired !== request) return JSON.stringify({ ...repaired, model });
  return request['model'] === model ? bytes : replaceModel(bytes, model);
}

/** The client's headers that belong to the API: its version and its beta features, but for those that the provider refuses. */
export function passthroughHeaders(
  { forwarded }: IncomingRequest,
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
): { authorization: string | undefined; headers: Readonly<Record<string, string>> } {
  const authorization = authorizationFor({ services, incoming }, provider);
  const isClientKey = provider.key.source === 'client';
  return isClientKey
    ? { authorization: undefined, headers: incoming.forwarded.credentials }
    : { authorization, headers: {} };
}

/** The size of the input before the model's factors (R502); undefined where only the provider can make sense of the request. */
export function measureNative(request: JsonObject): Readonly<TokenParts> | undefined {
  try {
    return measureTokens(parseCountRequest(request));
  } catch {
    return undefined;
  }
}
