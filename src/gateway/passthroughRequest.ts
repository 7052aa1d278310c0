import type { ProviderConfig, ProviderKey } from '../config/config.ts';
import { asNumber, type JsonObject } from '../core/json.ts';
import { replaceModel } from '../protocol/anthropic/replaceModel.ts';
import type { QuirkSettings } from '../quirks/settings.ts';
import type { Target } from '../translate/request/context.ts';
import { authorizationFor } from './authorization.ts';
import type { Bodies } from './bodies.ts';
import type { RequestBody } from './requestBody.ts';
import type { IncomingRequest, Services } from './services.ts';

/** The version of the API that is meant when a client names none; the only one there has been since 2023. */
const DEFAULT_VERSION = '2023-06-01';

/** The request with an output limit within the instance's own bounds, where the user has set any. */
function limitOutput(request: JsonObject, { maxTokensLimit, minTokensLimit }: Target): JsonObject {
  const wanted = asNumber(request['max_tokens']);
  if (wanted === undefined) return request;
  const limited = Math.max(minTokensLimit ?? 0, Math.min(wanted, maxTokensLimit ?? wanted));
  return limited === wanted ? request : { ...request, max_tokens: limited };
}

/** What is sent to a native endpoint: the client's bytes but for the model, unless a repair has changed more. */
export function passthroughBody({ bytes, object }: RequestBody, target: Target, bodies: Bodies): Buffer {
  const { model } = target;
  const repaired = target.repairs.nativeRequest(limitOutput(object, target));
  if (repaired !== object) return bodies.write({ ...repaired, model });
  return object.model === model ? bytes : replaceModel(bytes, model);
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
