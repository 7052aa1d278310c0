import type { Config } from '../config/config.ts';
import { customId, splitPrefix } from '../core/modelName.ts';
import { type ResolvedModel, readName, resolveModel } from './tier.ts';

export interface Route extends ResolvedModel {
  /** What was changed about the name, for the log; absent when nothing is worth telling. */
  readonly note?: string;
}

/** What of a configuration decides where a name leads. */
export type Models = Pick<Config, 'tiers' | 'provider' | 'customModels' | 'modelPrefixes'>;

/**
 * From the model that the client asked for to the one that is asked (R103): first those of the models file, which win over the
 * families of Claude and are named `custom/<id>`; then the provider's, without a prefix that says whose model it is.
 */
export function routeModel(requested: string, { tiers, provider, customModels, modelPrefixes }: Models): Route {
  const { bare, spellings } = readName(requested);
  for (const spelling of spellings) {
    const custom = customModels.get(customId(spelling));
    if (custom === undefined) continue;
    const tier = (['big', 'middle', 'small'] as const).find((one) => tiers[one] === custom.name) ?? 'none';
    return { tier, model: custom.name };
  }
  const { models, servesClaude, tiers: own } = provider.preset;
  const other = splitPrefix(bare, modelPrefixes.other);
  const { rest } = other ?? splitPrefix(bare, modelPrefixes.own) ?? { rest: requested };
  const resolved = resolveModel(rest, tiers, models, servesClaude === true ? own : undefined);
  if (other === undefined || resolved.tier !== 'none') return resolved;
  return { ...resolved, note: `model_prefix_removed:${other.prefix}` };
}
