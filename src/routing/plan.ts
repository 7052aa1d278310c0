import type { NamedProvider } from '../config/config.ts';
import type { Tiers } from '../providers/preset.ts';
import type { Decision } from './intent.ts';

/**
 * The models that a request may be served by, in the order in which they are asked, by their names here: a model that the client
 * named has no spares; else each model of the tier at each provider follows, behind the router's target where there is one.
 * @param tiers of the configuration: the client's own name may stand for the first model of its tier
 * @param ordered the providers in the order of this request
 */
export function planCandidates(
  { intent, tier, model }: Decision,
  tiers: Tiers,
  ordered: readonly NamedProvider[],
): readonly string[] {
  if (intent === 'named' || tier === 'none') return [model];
  if (intent !== 'tier') return unique([model, ...modelsOf(tier, ordered)]);
  const ordinary = modelsOf(tier, ordered).map((name) => (name === tiers[tier] ? model : name));
  return unique(ordinary.includes(model) ? ordinary : [model, ...ordinary]);
}

function modelsOf(tier: keyof Tiers, ordered: readonly NamedProvider[]): string[] {
  return ordered.flatMap(({ models }) => models[tier]);
}

function unique(names: readonly string[]): readonly string[] {
  return names.length === 1 ? names : [...new Set(names)];
}
