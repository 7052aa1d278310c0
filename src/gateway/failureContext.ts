import type { Target } from '../translate/target.ts';
import type { FailureContext } from '../upstream/failure.ts';
import type { Services } from './services.ts';

/** What puts this instance's failures into words (R402, R407). */
export function createFailureContext(services: Services, target: Target, inputEstimate: number): FailureContext {
  const { instance, provider } = services.config;
  const { key, preset } = provider;
  return {
    provider: instance,
    keyName: key.source === 'client' ? 'the key that the client sent' : key.variable,
    model: target.model,
    inputEstimate,
    contextWindow: target.settings.contextWindow,
    errorCodes: preset.errorCodes ?? {},
    redact: services.redact,
    now: services.clock.now(),
  };
}
