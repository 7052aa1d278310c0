import { customId, splitProvider } from '../core/modelName.ts';
import type { Config, CustomModel, ProviderConfig } from './config.ts';

/** Where a model is served, and what its server calls it. */
export interface ModelEndpoint {
  readonly provider: ProviderConfig;
  readonly model: string;
  /** Present for a model of the models file. */
  readonly custom?: CustomModel;
}

/** The provider of this name, in any case. */
export function findProvider<P extends { readonly name: string }>(
  providers: readonly P[],
  name: string,
): P | undefined {
  const wanted = name.toLowerCase();
  return providers.find((one) => one.name.toLowerCase() === wanted);
}

/**
 * Where the model is asked for that routing has named: at the server of its entry in the models file, at the provider that
 * stands in front of its comma, else at the instance's first provider.
 */
export function endpointOf(
  { provider, providers, customModels }: Pick<Config, 'provider' | 'providers' | 'customModels'>,
  name: string,
): ModelEndpoint {
  const custom = customModels.get(customId(name));
  if (custom !== undefined) return { provider: custom.provider, model: custom.model, custom };
  const parts = splitProvider(name);
  const named = parts && findProvider(providers, parts.provider);
  if (parts === undefined || parts.model === '' || named === undefined) return { provider, model: name };
  return { provider: named.provider, model: parts.model };
}
