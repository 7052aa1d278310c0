import type { Config, ModelRef } from '../config/config.ts';
import { ApiError } from '../core/errors.ts';
import { customId, splitPrefix, splitProvider, withoutContextSuffix } from '../core/models.ts';
import type { Tiers } from '../providers/preset.ts';

/** The name that a client asks for, taken apart. */
export interface RequestedName {
  /** Without `[1m]`, the suffix for a large context, and without the vendor's prefix `anthropic/`. */
  readonly bare: string;
  /** The model behind `claude-<instance>--`, as the model list has it. */
  readonly alias: string | undefined;
  /** Every way in which it may name a model exactly, the most literal first. */
  readonly spellings: readonly string[];
}

/** Bytes of the longest name that is read. The longest of any vendor has a tenth of it. */
const MOST_BYTES = 1024;

const ALIAS_START = 'claude-';
const ALIAS_MARK = '--';

/** By searching, as a regular expression for it takes time by the square where there are many dashes. */
function aliasOf(name: string): string | undefined {
  if (name.slice(0, ALIAS_START.length).toLowerCase() !== ALIAS_START) return undefined;
  const mark = name.indexOf(ALIAS_MARK, ALIAS_START.length + 1); // an instance has a name
  const alias = mark < 0 ? '' : name.slice(mark + ALIAS_MARK.length);
  return alias === '' ? undefined : alias;
}

/**
 * Takes apart the name that a client asks for; every request comes through here, before anything else looks at its name.
 * @throws ApiError (invalid_request) for a name of more than a kilobyte, which would be kept and searched for nothing.
 */
export function parseRequestedName(requested: string): RequestedName {
  const bytes = Buffer.byteLength(requested);
  if (bytes > MOST_BYTES)
    throw new ApiError(
      'invalid_request',
      `model: a name of ${bytes} bytes is too long; at most ${MOST_BYTES} are read`,
    );
  const name = withoutContextSuffix(requested).trim();
  const bare = name.replace(/^anthropic\//i, '');
  const alias = aliasOf(bare);
  return { bare, alias, spellings: [name, name.replace(/-\d{8}$/, ''), bare, ...(alias === undefined ? [] : [alias])] };
}

/** Which of the three configured models serves a request; `none` when the client named a provider's model itself. */
export type Tier = keyof Tiers | 'none';

/** What of a configuration decides where a name leads. */
export type ModelSources = Pick<
  Config,
  'tiers' | 'provider' | 'providers' | 'customModels' | 'modelRefs' | 'modelPrefixes'
>;

/** Where a name that a client asks for leads. */
export interface RoutedModel {
  readonly tier: Tier;
  readonly model: ModelRef;
  /** Whether the user has chosen this very model, and no tier. */
  readonly explicit: boolean;
  /** What was changed about the name, for the log; absent when nothing is worth a note. */
  readonly note?: string;
}

/**
 * From the model that the client asked for to the one that is asked: first those of the models file, which win over the
 * families of Claude and are named `custom/<id>`; then another provider's by `<provider>,<model>`; then the first provider's,
 * without a prefix that says whose model it is. The manager gives the client the tiers' models by their own names, so that such a
 * name means the tier; one that was picked from the model list, or that no tier has, means that model.
 */
export function routeModel(requested: string, sources: ModelSources): RoutedModel {
  const { tiers, provider, modelPrefixes, modelRefs } = sources;
  const name = parseRequestedName(requested);
  const { bare, alias, spellings } = name;
  for (const spelling of spellings) {
    const found = findNamed(spelling, sources);
    if (found === undefined) continue;
    const tier = tierOf(found.model, tiers);
    const explicit = found.isWritten || tier === 'none' || spelling === alias;
    return { tier, model: modelRefs.of(found.model), explicit };
  }
  const { models: listed, servesClaude, tiers: own } = provider.preset;
  const other = splitPrefix(bare, modelPrefixes.other);
  const prefixed = other ?? splitPrefix(bare, modelPrefixes.own);
  const unprefixed = prefixed === undefined ? name : parseRequestedName(prefixed.rest);
  const { tier, model } = resolveTier(unprefixed, tiers, listed, servesClaude === true ? own : undefined);
  const explicit = tier === 'none' || model.toLowerCase() === alias?.toLowerCase();
  const routed = { tier, model: modelRefs.of(model), explicit };
  return other === undefined || tier !== 'none' ? routed : { ...routed, note: `model_prefix_removed:${other.prefix}` };
}

interface NamedModel {
  readonly model: string;
  /** Whether the name is one that only a user writes, as the instance itself never calls the model so. */
  readonly isWritten: boolean;
}

/** The model of the models file, or of a provider that is named, that is spelled so; undefined for a bare name. */
function findNamed(spelling: string, { customModels, providers }: ModelSources): NamedModel | undefined {
  const custom = customModels.get(customId(spelling));
  if (custom !== undefined) return { model: custom.name, isWritten: false };
  const parts = splitProvider(spelling);
  if (parts === undefined || parts.model === '') return undefined;
  const index = providers.findIndex(({ name }) => name.toLowerCase() === parts.provider.toLowerCase());
  if (index === -1) return undefined;
  if (index === 0) return { model: parts.model, isWritten: true };
  return { model: `${providers[index]?.name},${parts.model}`, isWritten: false };
}

/** The largest tier that has the model. */
function tierOf(model: string, tiers: Tiers): Tier {
  return (['big', 'middle', 'small'] as const).find((one) => tiers[one] === model) ?? 'none';
}

/** A model of the first provider by the name that it has there, and the tier that it serves. */
export interface TierModel {
  readonly tier: Tier;
  readonly model: string;
}

const FAMILIES: readonly (readonly [RegExp, keyof Tiers])[] = [
  [/haiku/i, 'small'],
  [/sonnet/i, 'middle'],
  [/opus|fable/i, 'big'],
];

/**
 * Which of the first provider's models a name means. First the ways of naming a model exactly: as it is, without a date,
 * without `anthropic/`, as `claude-<instance>--<model>` of the model list. Then the families of Claude. What is left is a
 * model of the provider that nobody configured, unless it calls itself a Claude.
 * @param own the models that a provider of Claude itself has for the tiers: where the user has set no other for a family, the
 *   name of a Claude model passes as it is
 */
export function resolveTier(
  { bare, alias, spellings }: RequestedName,
  tiers: Tiers,
  listed: Readonly<Record<string, unknown>>,
  own?: Tiers,
): TierModel {
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

/** The configured or listed model of this name, in its own spelling when only the case differs. */
function findModel(name: string, tiers: Tiers, listed: readonly string[]): TierModel | undefined {
  const known = [tiers.big, tiers.middle, tiers.small, ...listed];
  const model = known.find((one) => one === name) ?? known.find((one) => one.toLowerCase() === name.toLowerCase());
  return model === undefined ? undefined : { tier: tierOf(model, tiers), model };
}
