import { customId } from '../core/modelName.ts';
import type { Tiers } from '../providers/preset.ts';
import type { Config, NamedProvider, ProviderConfig } from './config.ts';

type Models = NamedProvider['models'];

function forEachTier<T>(of: (tier: keyof Tiers) => T): Readonly<Record<keyof Tiers, T>> {
  return { big: of('big'), middle: of('middle'), small: of('small') };
}

/** The env file's own provider as one among others, before all of which it is asked. */
export function asNamedProvider(provider: ProviderConfig, requestTimeoutMs: number): NamedProvider {
  const { name, tiers } = provider.preset;
  return {
    name,
    provider,
    priority: 0,
    weight: 1,
    models: forEachTier((tier) => (tiers === undefined ? [] : [tiers[tier]])),
    requestTimeoutMs,
    maxRetries: undefined,
  };
}

/** The models with those of the models file that have the same ids in their place. */
export function preferCustom(models: Models, customModels: Config['customModels']): Models {
  return forEachTier((tier) => models[tier].map((model) => customModels.get(customId(model))?.name ?? model));
}

/** The models that a provider is asked for first; undefined when it has none of its own. */
export function firstModels({ big: [big], middle: [middle], small: [small] }: Models): Tiers | undefined {
  return big === undefined || middle === undefined || small === undefined ? undefined : { big, middle, small };
}

/**
 * The models by the names that routing knows: the first provider's as they are, unless the env file has another for the tier, all
 * others' with their provider in front.
 */
export function nameModels(providers: readonly NamedProvider[], tiers: Tiers): readonly NamedProvider[] {
  return providers.map(({ name, models, ...provider }, index) => ({
    ...provider,
    name,
    models: forEachTier((tier) => {
      if (index > 0) return models[tier].map((model) => `${name},${model}`);
      return models[tier][0] === tiers[tier] ? models[tier] : [tiers[tier]];
    }),
  }));
}
