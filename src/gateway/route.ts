import type { ProviderConfig } from '../config/config.ts';
import { endpointOf } from '../config/endpointOf.ts';
import { isObject } from '../core/json.ts';
import { routeModel } from '../routing/route.ts';
import type { Tier } from '../routing/tier.ts';
import type { Target } from '../translate/target.ts';
import type { Destination } from './destinations.ts';
import type { Services } from './services.ts';

/** Where a request goes: to which model in whose words, and to which server. */
export interface Route {
  /** The model's name here; one of the models file has a prefix that its server does not know. */
  readonly name: string;
  readonly tier: Tier;
  readonly target: Target;
  readonly destination: Destination;
  /** What was changed about the name that the client asked for, for the log. */
  readonly notes: readonly string[];
}

/** The route of a requested model (R103). */
export function findRoute(services: Services, requestedModel: string): Route {
  const { config, targets, destinations } = services;
  const { tier, model, note } = routeModel(requestedModel, config);
  const provider: ProviderConfig = endpointOf(config, model).provider;
  return {
    name: model,
    tier,
    target: targets.get(model),
    destination: destinations.of(provider),
    notes: note === undefined ? [] : [note],
  };
}

/** Whether the server of the requested model speaks the Messages API itself; without a model the instance's own counts. */
export function isNative(services: Services, body: unknown): boolean {
  const model = isObject(body) ? body['model'] : undefined;
  const { config } = services;
  const provider = typeof model === 'string' ? findRoute(services, model).destination.provider : config.provider;
  return provider.preset.protocol === 'anthropic';
}
