import type { Config } from '../config/config.ts';
import { customId, splitPrefix, splitProvider } from '../core/modelName.ts';
import { type ResolvedModel, readName, resolveModel, tierOf } from './tier.ts';

/** Where a name leads. */
export interface RoutedName extends ResolvedModel {
  /** Whether the user has chosen this very model, and no tier. */
  readonly explicit: boolean;
  /** What was changed about the name, for the log; absent when nothing is worth telling. */
  readonly note?: string;
}

/** What of a configuration decides where a name leads. */
export type Models = Pick<Config, 'tiers' | 'provider' | 'providers' | 'customModels' | 'modelPrefixes'>;

interface Found {
  readonly model: string;
  /** Whether the name is one that only a user writes, as the instance itself never calls the model so. */
  readonly isWritten: boolean;
}

/** The model of the models file, or of a provider that is named, that is spelled so; undefined for a bare name. */
function findNamed(spelling: string, { customModels, providers }: Models): Found | undefined {
  const custom = customModels.get(customId(spelling));
  if (custom !== undefined) return { model: custom.name, isWritten: false };
  const parts = splitProvider(spelling);
  const index = providers.findIndex(({ name }) => name.toLowerCase() === parts?.provider.toLowerCase());
  if (parts === undefined || parts.model === '' || index === -1) return undefined;
  if (index === 0) return { model: parts.model, isWritten: true };
  return { model: `${providers[index]?.name},${parts.model}`, isWritten: false };
}

/**
 * From the model that the client asked for to the one that is asked (R103): first those of the models file, which win over the
 * families of Claude and are named `custom/<id>`; then another provider's by `<provider>,<model>`; then the first provider's,
 * without a prefix that says whose model it is. The manager gives the client the tiers' models by their own names, so that such a
 * name means the tier; one that was picked from the model list, or that no tier has, means that model.
 */
export function routeModel(requested: string, models: Models): RoutedName {
  const { tiers, provider, modelPrefixes } = models;
  const { bare, alias, spellings } = readName(requested);
  for (const spelling of spellings) {
    const found = findNamed(spelling, models);
    if (found === undefined) continue;
    const { model, isWritten } = found;
    const tier = tierOf(model, tiers);
    return { tier, model, explicit: isWritten || tier === 'none' || spelling === alias };
  }
  const { models: listed, servesClaude, tiers: own } = provider.preset;
  const other = splitPrefix(bare, modelPrefixes.other);
  const { rest } = other ?? splitPrefix(bare, modelPrefixes.own) ?? { rest: requested };
  const { tier, model } = resolveModel(rest, tiers, listed, servesClaude === true ? own : undefined);
  const explicit = tier === 'none' || model.toLowerCase() === alias?.toLowerCase();
  if (other === undefined || tier !== 'none') return { tier, model, explicit };
  return { tier, model, explicit, note: `model_prefix_removed:${other.prefix}` };
}
