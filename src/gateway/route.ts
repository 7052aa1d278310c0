import type { NamedProvider } from '../config/config.ts';
import { endpointOf } from '../config/modelRef.ts';
import type { Target } from '../translate/request/context.ts';
import type { Destination } from './destinations.ts';
import type { Services } from './services.ts';

/** One candidate for a request: which model in whose words, and which server. */
export interface Route {
  /** The model's name here; that of another provider or of the models file has a prefix that its server does not know. */
  readonly name: string;
  /** How the provider is called: in failures, the log and the answer's headers. */
  readonly provider: string;
  /** Undefined for a server that stands in the models file. */
  readonly named: NamedProvider | undefined;
  readonly target: Target;
  readonly destination: Destination;
}

/** Where a model is asked for that routing has named. */
export function routeTo({ config, targets, destinations }: Services, name: string): Route {
  const { provider } = endpointOf(config, name);
  const named = config.providers.find((one) => one.provider === provider);
  return {
    name,
    provider: named?.name ?? provider.preset.name,
    named,
    target: targets.get(name),
    destination: destinations.of(provider),
  };
}

/** Whether the server of a route speaks the Messages API itself. */
export function isNative({ destination }: Route): boolean {
  return destination.provider.preset.protocol === 'anthropic';
}
