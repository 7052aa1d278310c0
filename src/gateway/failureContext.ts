import { createRedactor, Secret } from '../core/secret.ts';
import type { FailureContext } from '../upstream/failure.ts';
import type { Route } from './route.ts';
import type { IncomingRequest, Services } from './services.ts';

/**
 * What puts this instance's failures into words (R402, R407), in which no credential stands: neither the instance's own nor the
 * one that the client lends.
 */
export function createFailureContext(
  services: Services,
  { target, destination }: Pick<Route, 'target' | 'destination'>,
  inputEstimate: number,
  { forwarded }: Pick<IncomingRequest, 'forwarded'>,
): FailureContext {
  const sent = destination.provider.key.source === 'client' ? Object.values(forwarded.credentials) : [];
  const credentials = sent.map((value) => value.replace(/^Bearer\s+/i, ''));
  const redactClient = createRedactor(credentials.map((value) => new Secret(value)));
  const { key, preset } = destination.provider;
  return {
    provider: services.config.instance,
    keyName: key.source === 'client' ? 'the key that the client sent' : key.variable,
    model: target.model,
    inputEstimate,
    contextWindow: target.settings.contextWindow,
    errorCodes: preset.errorCodes ?? {},
    native: preset.protocol === 'anthropic',
    redact: (text) => services.redact(redactClient(text)),
    now: services.clock.now(),
  };
}
