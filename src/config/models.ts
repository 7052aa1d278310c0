import { customId, splitPrefix, splitProvider, withoutContextSuffix } from '../core/models.ts';
import { nearestName } from '../core/text.ts';
import { presets } from '../providers/index.ts';
import type { Preset, Tiers } from '../providers/preset.ts';
import type {
  Config,
  CustomModel,
  ModelPrefixes,
  ModelRef,
  ModelRefs,
  NamedProvider,
  ProviderConfig,
  Router,
} from './config.ts';
import { type Diagnostics, type SourceLocation, showValue } from './diagnostics.ts';
import { routerSettings, type SettingName } from './env/settings.ts';
import type { Choices } from './env/variables.ts';
import { customModels, type ModelsFile } from './files/modelsFile.ts';
import { refuseUnusableModel } from './provider.ts';
import type { FindNamedKey } from './secrets.ts';

const tierSettings = [
  ['BIG_MODEL', 'big'],
  ['MIDDLE_MODEL', 'middle'],
  ['SMALL_MODEL', 'small'],
] as const satisfies readonly (readonly [SettingName, keyof Tiers])[];

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
  /** Gives a preset with the facts of the catalogue that is kept; the providers' own have them already. */
  readonly refresh: (preset: Preset) => Preset;
}

/** What a configuration says of models and of those who serve them. */
type ChosenModels = Pick<
  Config,
  | 'provider'
  | 'providers'
  | 'tiers'
  | 'router'
  | 'vision'
  | 'customModels'
  | 'modelRefs'
  | 'modelPrefixes'
  | 'modelsFile'
>;

/** The models by the names that routing knows; undefined when nobody serves them or there are none, which is reported. */
export function chooseModels(sources: ModelSources, diagnostics: Diagnostics): ChosenModels | undefined {
  const { unusable, hasOwn, modelsFile, choices, findNamedKey, refresh } = sources;
  const [first, ...others] = sources.providers;
  if (first === undefined) return undefined;
  const written = customModels(modelsFile.entries, first.provider, findNamedKey, modelsFile.diagnostics);
  const custom = new Map(
    [...written].map(([id, model]) => {
      const { provider } = model;
      return [id, { ...model, provider: { ...provider, preset: refresh(provider.preset) } }] as const;
    }),
  );
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
  const visionName = readVisionModel(choices, known, diagnostics);
  const names = [
    ...(visionName === undefined ? [] : [visionName]),
    ...Object.values(tiers),
    ...Object.values(router),
    ...named.flatMap((one) => Object.values(one.models).flat()),
    ...[...custom.values()].map(({ name }) => name),
  ];
  const modelRefs = createModelRefs(named, custom, names);
  refuseUnusableNames(choices, { tiers, router, modelRefs }, diagnostics);
  const visionRef = visionName === undefined ? undefined : modelRefs.of(visionName);
  if (visionRef !== undefined) refuseBlindModel(visionRef, choices, diagnostics);
  return {
    provider: first.provider,
    providers: named,
    tiers,
    router,
    vision: visionRef && { ref: visionRef, label: visionRef.model, setting: 'VISION_MODEL' },
    customModels: custom,
    modelRefs,
    modelPrefixes: prefixes,
    modelsFile: modelsFile.file,
  };
}

/** Reports models that the env file names and that cannot serve here; those of other files are reported with them. */
function refuseUnusableNames(
  choices: Choices,
  { tiers, router, modelRefs }: Pick<Config, 'tiers' | 'router' | 'modelRefs'>,
  diagnostics: Diagnostics,
): void {
  const named = [
    ...tierSettings.map(([setting, tier]) => [setting, tiers[tier]] as const),
    ...routerSettings.map(([setting, route]) => [setting, router[route]] as const),
  ];
  for (const [setting, name] of named) {
    const choice = choices.get(setting);
    if (choice === undefined || name === undefined) continue;
    const { model, provider, custom } = modelRefs.of(name);
    if (custom === undefined) refuseUnusableModel(model, provider, choice, diagnostics);
  }
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

/**
 * Resolves the names of an instance's models. Those that the configuration holds are taken apart once, here.
 * @param providers of the instance, at least one; bare names mean the first
 * @param names all names of the configuration
 */
export function createModelRefs(
  providers: readonly [NamedProvider, ...NamedProvider[]],
  customModels: Config['customModels'],
  names: Iterable<string>,
): ModelRefs {
  const [first] = providers;

  function resolve(name: string): ModelRef {
    const custom = customModels.get(customId(name));
    if (custom !== undefined) return { name, model: custom.model, provider: custom.provider, custom };
    const parts = splitProvider(name);
    const other = parts && findProvider(providers, parts.provider);
    if (parts !== undefined && parts.model !== '' && other !== undefined)
      return { name, model: parts.model, provider: other.provider, named: other };
    return { name, model: name, provider: first.provider, named: first };
  }

  const configured = new Map([...names].map((name) => [name, resolve(name)]));
  return { of: (name) => configured.get(name) ?? resolve(name) };
}

/** The provider of this name, in any case. */
function findProvider<P extends { readonly name: string }>(providers: readonly P[], name: string): P | undefined {
  const wanted = name.toLowerCase();
  return providers.find((one) => one.name.toLowerCase() === wanted);
}

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
  const read = (setting: 'BIG_MODEL' | 'MIDDLE_MODEL' | 'SMALL_MODEL') => {
    const choice = choices.get(setting);
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

/** The targets of ROUTER_* by the names that routing knows. */
function readRouter(choices: Choices, known: KnownNames, diagnostics: Diagnostics): Router {
  return Object.fromEntries(
    routerSettings.flatMap(([setting, route]) => {
      const choice = choices.get(setting);
      const name = choice && routerName(choice.value, choice, known, diagnostics);
      return name === undefined ? [] : [[route, name]];
    }),
  );
}

/** The name by which routing knows the model of VISION_MODEL; with VISION_URL it is a model of that server. */
function readVisionModel(choices: Choices, known: KnownNames, diagnostics: Diagnostics): string | undefined {
  const choice = choices.has('VISION_URL') ? undefined : choices.get('VISION_MODEL');
  return choice && tierName(choice.value, choice, known, diagnostics);
}

/** Reports a model of which its preset knows that it cannot describe pictures, as it sees none. */
function refuseBlindModel({ model, provider, custom }: ModelRef, choices: Choices, diagnostics: Diagnostics): void {
  const { models, quirks } = provider.preset;
  const isBlind = models[model] !== undefined && !(models[model]?.vision ?? quirks.vision ?? true);
  if (custom !== undefined || !isBlind) return;
  const seeing = Object.keys(models).filter((name) => models[name]?.vision ?? quirks.vision ?? true);
  const fix =
    seeing.length === 0
      ? 'Name a model of another provider as provider,model, or set VISION_URL.'
      : `Name a model that does: ${seeing.join(', ')}.`;
  diagnostics.error(
    choices.get('VISION_MODEL') ?? { name: 'VISION_MODEL' },
    `${showValue(model)}, which sees no pictures itself`,
    fix,
  );
}

type Models = NamedProvider['models'];

type Providers = readonly [NamedProvider, ...NamedProvider[]];

function forEachTier<T>(of: (tier: keyof Tiers) => T): Readonly<Record<keyof Tiers, T>> {
  return { big: of('big'), middle: of('middle'), small: of('small') };
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

/** What a model's name in the env file may refer to. */
interface KnownNames {
  readonly customModels: ReadonlyMap<string, CustomModel>;
  /** By `customId`: every model that the models file has, also those that cannot be used. */
  readonly declared: ReadonlySet<string>;
  /** By name; a bare model is the first one's. */
  readonly providers: readonly Pick<NamedProvider, 'name'>[];
  /** Names of providers that the providers file has, but which cannot be used. */
  readonly unusable: readonly string[];
  readonly prefixes: ModelPrefixes;
}

/** The name by which routing knows the model of a tier. */
function tierName(written: string, location: SourceLocation, known: KnownNames, diagnostics: Diagnostics): string {
  const { name, fault } = resolveName(withoutContextSuffix(written), known);
  if (fault?.kind === 'foreign') diagnostics.warning(location, fault.found, fault.fix);
  else if (fault !== undefined) diagnostics.error(location, fault.found, fault.fix);
  return name;
}

/** The name by which routing knows a target of the router; undefined for one that cannot be used for now, so that the line has no effect. */
function routerName(
  written: string,
  location: SourceLocation,
  known: KnownNames,
  diagnostics: Diagnostics,
): string | undefined {
  const { name, fault } = resolveName(withoutContextSuffix(written), known);
  if (fault?.kind === 'unknown') diagnostics.error(location, fault.found, fault.fix);
  else if (fault?.kind === 'unusable')
    diagnostics.warning(location, fault.found, `${fault.fix} Until then the line has no effect.`);
  else if (fault !== undefined) diagnostics.warning(location, fault.found, fault.fix);
  return fault === undefined || fault.kind === 'foreign' ? name : undefined;
}

/**
 * The prefixes that are taken off model names, like `openai/gpt-4o`: names of providers, as the earlier systems wrote them. At
 * a provider whose own ids have such a first part it belongs to the name; only `custom/`, which means the models file, never does.
 */
function modelPrefixes(preset: Preset): ModelPrefixes {
  const namesOf = ({ name, otherNames = [] }: Preset) => [name, ...otherNames];
  const known = preset.idsHaveSlash === true ? ['custom'] : presets.flatMap(namesOf);
  const own = namesOf(preset).filter((name) => known.includes(name));
  return { own, other: [...new Set(known)].filter((name) => !own.includes(name)) };
}

/** Why a name is not as it should be: nothing is called so, what is called so cannot be used, or it is another provider's. */
interface Fault {
  readonly kind: 'unknown' | 'unusable' | 'foreign';
  readonly found: string;
  readonly fix: string;
}

interface Resolved {
  readonly name: string;
  readonly fault?: Fault;
}

function resolveAtProvider(written: string, provider: string, model: string, known: KnownNames): Resolved {
  const { providers, unusable } = known;
  const found = findProvider(providers, provider);
  if (found !== undefined && model !== '') return { name: found === providers[0] ? model : `${found.name},${model}` };
  const quoted = showValue(written);
  if (unusable.some((name) => name.toLowerCase() === provider.toLowerCase()))
    return {
      name: written,
      fault: {
        kind: 'unusable',
        found: `${quoted}, of a provider that the providers file has, but which cannot be used`,
        fix: 'Repair its entry there, or enable it.',
      },
    };
  const names = providers.map(({ name }) => name);
  const nearest = nearestName(provider, names);
  const fix =
    found !== undefined
      ? `Write ${found.name},MODEL.`
      : nearest === undefined
        ? `Write provider,model with one of the providers ${names.join(', ')}.`
        : `Did you mean ${nearest},${model}?`;
  return { name: written, fault: { kind: 'unknown', found: `${quoted}, of a provider that there is not`, fix } };
}

function unknownCustom(written: string, id: string, { customModels }: KnownNames): Fault {
  const nearest = nearestName(
    id,
    [...customModels.values()].map((model) => model.id),
  );
  return {
    kind: 'unknown',
    found: `${showValue(written)}, which no models file has`,
    fix: nearest === undefined ? 'Enter it into the models file (MODELS_FILE).' : `Did you mean custom/${nearest}?`,
  };
}

/**
 * The name by which routing knows a model: `custom/ID` for one of the models file, `provider,model` for one of another provider
 * than the first, else the first provider's without a prefix.
 */
function resolveName(written: string, known: KnownNames): Resolved {
  const { customModels, declared, providers, prefixes } = known;
  const id = customId(written);
  const custom = customModels.get(id);
  if (custom !== undefined) return { name: custom.name };
  if (declared.has(id)) {
    const found = `${showValue(written)}, which the models file has, but which cannot be used`;
    return { name: written, fault: { kind: 'unusable', found, fix: 'Repair its entry there.' } };
  }
  const parts = splitProvider(written);
  if (parts !== undefined) return resolveAtProvider(written, parts.provider, parts.model, known);
  const own = splitPrefix(written, prefixes.own);
  const other = splitPrefix(written, prefixes.other);
  // Beside a models file `custom/` means the models in it, even where the provider itself is called so.
  const isCustom = other?.prefix === 'custom' || (own?.prefix === 'custom' && declared.size > 0);
  if (isCustom) return { name: written, fault: unknownCustom(written, id, known) };
  if (own !== undefined) return { name: own.rest };
  if (other === undefined) return { name: written };
  return {
    name: other.rest,
    fault: {
      kind: 'foreign',
      found: `${showValue(written)}, a model of another provider than ${providers[0]?.name}`,
      fix: `${other.rest} is asked for; give each provider an instance of its own, or enter it into a providers file.`,
    },
  };
}
