import type { ProviderKey } from '../config/config.ts';
import { createRedactor, Secret } from '../core/secret.ts';
import type { FailureContext } from '../upstream/errors.ts';
import { isNative, type Route } from './route.ts';
import type { IncomingRequest, Services } from './services.ts';

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
  const { target, destination } = route;
  const sent = key.source === 'client' ? Object.values(forwarded.credentials) : [];
  const credentials = sent.map((value) => value.replace(/^Bearer\s+/i, ''));
  const redactClient = createRedactor(credentials.map((value) => new Secret(value)));
  return {
    provider: nameOf(services, route),
    keyName: key.source === 'client' ? 'the key that the client sent' : key.variable,
    model: target.model,
    inputEstimate,
    contextWindow: target.settings.contextWindow,
    errorCodes: destination.provider.preset.errorCodes ?? {},
    native: isNative(route),
    redact: (text) => services.redact(redactClient(text)),
    now: services.clock.now(),
  };
}
