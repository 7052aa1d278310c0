import type { ProviderConfig, ProviderKey } from '../../config/config.ts';
import { ApiError } from '../../core/errors.ts';
import { createRedactor, Secret } from '../../core/secret.ts';
import type { FailureContext } from '../../upstream/errors.ts';
import type { AnswerReader, UpstreamRequest } from '../../upstream/upstream.ts';
import { isNative, type Route } from '../route.ts';
import type { IncomingRequest, Services } from '../services.ts';

/** One request as it is sent, and who reads its answer. */
export interface PreparedAttempt {
  readonly request: UpstreamRequest;
  readonly reader: AnswerReader;
  /** Silence within the answer after which it is given up, in ms (R326). */
  readonly idleTimeoutMs: number;
  /** How long to wait for the usage after the answer has finished, in ms (R313). */
  readonly usageWaitMs: number;
}

/** The way in which one candidate answers the client's request: what it is sent, and how its answer is read. */
export interface Adapter {
  readonly route: Route;
  /** Whether an answer that says nothing is asked for once more (R215). */
  readonly mayRepeatEmpty: boolean;
  /** Does work for the attempts in advance that would hold up all others at a stretch; undefined when there is none. */
  prepare?(): Promise<void> | undefined;
  /**
   * Makes the next attempt; each has a reader of its own.
   * @throws ApiError when there is no key to send
   */
  createAttempt(key: ProviderKey): PreparedAttempt;
  /** What puts the failures of the latest attempt into words. */
  failureContext(): FailureContext;
  /** Changes what the provider refused; false when nothing can be changed (R413). */
  adaptRequest(error: ApiError): boolean;
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

/** The value of the header that carries the key to the provider: the instance's own key, else the client's (R152, decision 0006). */
export function authorizationFor(
  { config }: Services,
  { providerKey }: Pick<IncomingRequest, 'providerKey'>,
  { keyHeader }: ProviderConfig,
  key: ProviderKey,
): string | undefined {
  const scheme = keyHeader === 'authorization' ? 'Bearer ' : '';
  if (key.secret !== undefined) return scheme + key.secret.reveal();
  if (key.source !== 'client') return undefined;
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
 * What puts a provider's failures into words (R402, R407), in which no credential stands: neither the instance's own nor the one
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
