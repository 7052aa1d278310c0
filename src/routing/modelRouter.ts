import type { Config } from '../config/config.ts';
import { customId, splitPrefix, splitProvider } from '../core/modelName.ts';
import type { Tiers } from '../providers/preset.ts';

/** Which of the three configured models serves a request; `none` when the client named a provider's model itself. */
export type Tier = keyof Tiers | 'none';

export interface ResolvedModel {
  readonly tier: Tier;
  readonly model: string;
}

const FAMILIES: readonly (readonly [RegExp, keyof Tiers])[] = [
  [/haiku/i, 'small'],
  [/sonnet/i, 'middle'],
  [/opus|fable/i, 'big'],
];

/** The largest tier that has the model. */
export function tierOf(model: string, tiers: Tiers): Tier {
  return (['big', 'middle', 'small'] as const).find((one) => tiers[one] === model) ?? 'none';
}

/** The configured or listed model of this name, in its own spelling when only the case differs. */
function findModel(name: string, tiers: Tiers, listed: readonly string[]): ResolvedModel | undefined {
  const known = [tiers.big, tiers.middle, tiers.small, ...listed];
  const model = known.find((one) => one === name) ?? known.find((one) => one.toLowerCase() === name.toLowerCase());
  return model === undefined ? undefined : { tier: tierOf(model, tiers), model };
}

/** The name without the suffix for a large context and the prefix of the vendor, and every way of naming a model exactly. */
export function readName(requested: string): {
  readonly bare: string;
  readonly alias: string | undefined;
  readonly spellings: readonly string[];
} {
  const name = requested.replace(/\[1m\]\s*$/i, '').trim();
  const bare = name.replace(/^anthropic\//i, '');
  const alias = /^claude-.+?--(.+)$/i.exec(bare)?.[1];
  return { bare, alias, spellings: [name, name.replace(/-\d{8}$/, ''), bare, ...(alias === undefined ? [] : [alias])] };
}

/**
 * From the model that the client asked for to the provider's (R103). First the ways of naming a model exactly: as it is,
 * without a date, without `anthropic/`, as `claude-<instance>--<model>` of the model list (R503). Then the families of
 * Claude. What is left is a model of the provider that nobody configured, unless it calls itself a Claude.
 * @param own the models that a provider of Claude itself has for the tiers: where the user has set no other for a family, the
 *   name of a Claude model passes as it is
 */
export function resolveModel(
  requested: string,
  tiers: Tiers,
  listed: Readonly<Record<string, unknown>>,
  own?: Tiers,
): ResolvedModel {
  const { bare, alias, spellings } = readName(requested);
  const family = FAMILIES.find(([pattern]) => pattern.test(bare))?.[1];
  if (own !== undefined && alias === undefined && /^claude-/i.test(bare)) {
    if (family === undefined) return { tier: 'none', model: bare };
    return { tier: family, model: tiers[family] === own[family] ? bare : tiers[family] };
  }
  for (const spelling of spellings) {
    const found = findModel(spelling, tiers, Object.keys(listed));
    if (found !== undefined) return found;
  }
  if (family !== undefined) return { tier: family, model: tiers[family] };
  return bare === '' || /claude/i.test(bare) ? { tier: 'big', model: tiers.big } : { tier: 'none', model: bare };
}

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
