import { customId } from '../core/modelName.ts';
import type { Tiers } from '../providers/preset.ts';
import type { Config, NamedProvider, ProviderConfig, Router } from './config.ts';
import type { Diagnostics } from './diagnostics.ts';
import { routerSettings } from './env/settings.ts';
import type { Choices } from './env/variables.ts';
import { customModels, type ModelsFile } from './files/modelsFile.ts';
import { createModelRefs, type KnownNames, modelPrefixes, routerName, tierName } from './modelRef.ts';
import type { FindNamedKey } from './secrets.ts';

/**
 * The three models by the names that routing knows: as they are written, else the provider's own. A big model of the user's own
 * replaces the middle one too, so that one line moves both.
 * @param own the provider's models, if it has any
 * @param router its targets stand in for models that are not written
 */
function chooseTiers(
  choices: Choices,
  own: Tiers | undefined,
  router: Router,
  known: KnownNames,
  diagnostics: Diagnostics,
): Tiers | undefined {
  const read = (key: 'BIG_MODEL' | 'MIDDLE_MODEL' | 'SMALL_MODEL') => {
    const choice = choices.get(key);
    return choice && tierName(choice.value, choice, known, diagnostics);
  };
  const big = read('BIG_MODEL') ?? router.default;
  const middle = read('MIDDLE_MODEL') ?? big;
  const small = read('SMALL_MODEL') ?? router.background;
  if (own !== undefined) return { big: big ?? own.big, middle: middle ?? own.middle, small: small ?? own.small };
  if (big !== undefined) return { big, middle: middle ?? big, small: small ?? middle ?? big };
  const name = known.providers[0]?.name;
  diagnostics.error({ name: 'BIG_MODEL' }, 'nothing', `Name the model to use; ${name} has none of its own.`);
  return undefined;
}

type Models = NamedProvider['models'];
type Providers = readonly [NamedProvider, ...NamedProvider[]];

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
function preferCustom(models: Models, customModels: Config['customModels']): Models {
  return forEachTier((tier) => models[tier].map((model) => customModels.get(customId(model))?.name ?? model));
}

/** The models that a provider is asked for first; undefined when it has none of its own. */
function firstModels({ big: [big], middle: [middle], small: [small] }: Models): Tiers | undefined {
  return big === undefined || middle === undefined || small === undefined ? undefined : { big, middle, small };
}

/**
 * The models by the names that routing knows: the first provider's as they are, unless the env file has another for the tier, all
 * others' with their provider in front.
 */
function nameModels([first, ...others]: Providers, tiers: Tiers): Providers {
  const chosen = forEachTier((tier) => (first.models[tier][0] === tiers[tier] ? first.models[tier] : [tiers[tier]]));
  return [
    { ...first, models: chosen },
    ...others.map((one) => ({
      ...one,
      models: forEachTier((tier) => one.models[tier].map((model) => `${one.name},${model}`)),
    })),
  ];
}

/** The targets of ROUTER_* by the names that routing knows. */
function readRouter(choices: Choices, known: KnownNames, diagnostics: Diagnostics): Router {
  return Object.fromEntries(
    routerSettings.flatMap(([key, route]) => {
      const choice = choices.get(key);
      const name = choice && routerName(choice.value, choice, known, diagnostics);
      return name === undefined ? [] : [[route, name]];
    }),
  );
}

/** What the models of an instance are chosen from. */
export interface ModelSources {
  /** By priority, their models by their own names for them. */
  readonly providers: readonly NamedProvider[];
  /** Names of providers that cannot be used. */
  readonly unusable: readonly string[];
  /** Whether the first is the env file's own, for which the router says more of its models than its preset does. */
  readonly hasOwn: boolean;
  readonly modelsFile: ModelsFile;
  readonly choices: Choices;
  readonly findNamedKey: FindNamedKey;
}

/** What a configuration says of models and of those who serve them. */
type ChosenModels = Pick<
  Config,
  'provider' | 'providers' | 'tiers' | 'router' | 'customModels' | 'modelRefs' | 'modelPrefixes' | 'modelsFile'
>;

/** The models by the names that routing knows; undefined when nobody serves them or there are none, which is reported. */
export function chooseModels(sources: ModelSources, diagnostics: Diagnostics): ChosenModels | undefined {
  const { unusable, hasOwn, modelsFile, choices, findNamedKey } = sources;
  const [first, ...others] = sources.providers;
  if (first === undefined) return undefined;
  const custom = customModels(modelsFile.entries, first.provider, findNamedKey, modelsFile.diagnostics);
  const prefixes = modelPrefixes(first.provider.preset);
  const models = preferCustom(first.models, custom);
  const providers: Providers = [{ ...first, models }, ...others];
  const known = {
    customModels: custom,
    declared: new Set(modelsFile.entries.map(({ id }) => customId(id))),
    providers,
    unusable,
    prefixes,
  };
  const router = readRouter(choices, known, diagnostics);
  const tiers = chooseTiers(choices, firstModels(models), hasOwn ? router : {}, known, diagnostics);
  if (tiers === undefined) return undefined;
  const named = nameModels(providers, tiers);
  const names = [
    ...Object.values(tiers),
    ...Object.values(router),
    ...named.flatMap((one) => Object.values(one.models).flat()),
    ...[...custom.values()].map(({ name }) => name),
  ];
  return {
    provider: first.provider,
    providers: named,
    tiers,
    router,
    customModels: custom,
    modelRefs: createModelRefs(named, custom, names),
    modelPrefixes: prefixes,
    modelsFile: modelsFile.file,
  };
}
