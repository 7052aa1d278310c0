import { customId, splitPrefix, splitProvider } from '../core/modelName.ts';
import { nearestName } from '../core/text.ts';
import { presets } from '../providers/index.ts';
import type { ModelFacts, Preset } from '../providers/preset.ts';
import { mergeSettings, type QuirkSettings } from '../quirks/settings.ts';
import type {
  Config,
  CustomModel,
  ModelPrefixes,
  ModelRef,
  ModelRefs,
  NamedProvider,
  ProviderConfig,
} from './config.ts';
import type { Diagnostics, SourceLocation } from './diagnostics.ts';

/** The provider of this name, in any case. */
function findProvider<P extends { readonly name: string }>(providers: readonly P[], name: string): P | undefined {
  const wanted = name.toLowerCase();
  return providers.find((one) => one.name.toLowerCase() === wanted);
}

/**
 * Resolves the names of an instance's models. Those that the configuration holds are taken apart once, here.
 * @param providers of the instance, at least one; the first is whom bare names mean
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

function settingsOfFacts(facts: ModelFacts): Partial<QuirkSettings> {
  return {
    ...(facts.contextWindow === undefined ? {} : { contextWindow: facts.contextWindow }),
    ...(facts.maxOutput === undefined ? {} : { maxOutput: facts.maxOutput }),
    ...(facts.vision === undefined ? {} : { vision: facts.vision }),
    ...facts.quirks,
  };
}

/** The settings that hold for one model of a provider: defaults, preset, model facts, the user's overrides. */
export function modelSettings(
  { preset, overrides }: Pick<ProviderConfig, 'preset' | 'overrides'>,
  model: string,
): QuirkSettings {
  const facts = preset.models[model];
  return mergeSettings(preset.quirks, facts === undefined ? {} : settingsOfFacts(facts), overrides);
}

/**
 * The prefixes that are taken off model names, like `openai/gpt-4o`: names of providers, as the earlier systems wrote them. At
 * a provider whose own ids have such a first part it belongs to the name; only `custom/`, which means the models file, never does.
 */
export function modelPrefixes(preset: Preset): ModelPrefixes {
  const namesOf = ({ name, otherNames = [] }: Preset) => [name, ...otherNames];
  const known = preset.idsHaveSlash === true ? ['custom'] : presets.flatMap(namesOf);
  const own = namesOf(preset).filter((name) => known.includes(name));
  return { own, other: [...new Set(known)].filter((name) => !own.includes(name)) };
}

/** What a model's name in the env file may refer to. */
export interface KnownNames {
  readonly customModels: ReadonlyMap<string, CustomModel>;
  /** By `customId`: every model that the models file has, also those that cannot be used. */
  readonly declared: ReadonlySet<string>;
  /** By name; a bare model is the first one's. */
  readonly providers: readonly Pick<NamedProvider, 'name'>[];
  /** Names of providers that the providers file has, but which cannot be used. */
  readonly unusable: readonly string[];
  readonly prefixes: ModelPrefixes;
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
  const quoted = JSON.stringify(written);
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
    found: `${JSON.stringify(written)}, which no models file has`,
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
    const found = `${JSON.stringify(written)}, which the models file has, but which cannot be used`;
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
      found: `${JSON.stringify(written)}, a model of another provider than ${providers[0]?.name}`,
      fix: `${other.rest} is asked for; give each provider an instance of its own, or enter it into a providers file.`,
    },
  };
}

/** The name by which routing knows the model of a tier. */
export function tierName(
  written: string,
  location: SourceLocation,
  known: KnownNames,
  diagnostics: Diagnostics,
): string {
  const { name, fault } = resolveName(written, known);
  if (fault?.kind === 'foreign') diagnostics.warning(location, fault.found, fault.fix);
  else if (fault !== undefined) diagnostics.error(location, fault.found, fault.fix);
  return name;
}

/** The name by which routing knows a target of the router; undefined for one that cannot be used for now, so that the line has no effect. */
export function routerName(
  written: string,
  location: SourceLocation,
  known: KnownNames,
  diagnostics: Diagnostics,
): string | undefined {
  const { name, fault } = resolveName(written, known);
  if (fault?.kind === 'unknown') diagnostics.error(location, fault.found, fault.fix);
  else if (fault?.kind === 'unusable')
    diagnostics.warning(location, fault.found, `${fault.fix} Until then the line has no effect.`);
  else if (fault !== undefined) diagnostics.warning(location, fault.found, fault.fix);
  return fault === undefined || fault.kind === 'foreign' ? name : undefined;
}
