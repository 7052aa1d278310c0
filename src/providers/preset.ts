import type { ErrorCode } from '../core/errorTable.ts';
import type { Prices } from '../core/models.ts';
import { mergeSettings, type OpenaiProtocol, type QuirkSettings, responsesSettings } from '../quirks/settings.ts';

export type { Prices } from '../core/models.ts';

export interface ModelFacts {
  /** Tokens. */
  readonly contextWindow?: number;
  /** Tokens; the cap that is sent, which may be below what the vendor allows. */
  readonly maxOutput?: number;
  readonly vision?: boolean;
  readonly prices?: Prices;
  /** Why the model cannot serve here, which completes "NAME, which ...": a configuration that names it is refused. */
  readonly unusable?: string;
  readonly quirks?: Partial<QuirkSettings>;
  /** Day of the public catalogue that window, output limit and prices are of, YYYY-MM-DD; absent for those of the preset itself. */
  readonly refreshed?: string;
}

export interface Tiers {
  readonly big: string;
  readonly middle: string;
  readonly small: string;
}

/** Paths of chat completions, which take the place of everything from `root` on in the address that the user gives. */
export interface Endpoints {
  readonly root: string;
  readonly plain: string;
  /** That of the Responses API, which has no version. */
  readonly responses: string;
  /** For an instance with an API_VERSION: `{model}` and `{version}` are filled in. */
  readonly versioned: string;
}

/** Models whose names begin alike: by which API they are asked where PROTOCOL does not say it, and their settings in the Responses API. */
export interface ModelFamily {
  readonly protocol: OpenaiProtocol;
  readonly quirks?: Partial<QuirkSettings>;
}

/** What is known about a provider's Responses API. */
export interface ResponsesFacts {
  /** By the beginning of the model's name; the longest counts. */
  readonly families: Readonly<Record<string, ModelFamily>>;
  /** How models of no family are asked at the provider's own address. At another one nobody knows what it speaks beside chat completions. */
  readonly others: OpenaiProtocol;
  readonly quirks: Partial<QuirkSettings>;
}

/** Everything known about a provider, so that a user picks a name and pastes a key. Data only. */
export interface Preset {
  /** Value of PROVIDER, and the tag on what travels back to this provider. */
  readonly name: string;
  /** Other values of PROVIDER that mean this provider. */
  readonly otherNames?: readonly string[];
  readonly title: string;
  /** What OpenTelemetry’s GenAI conventions call it (`gen_ai.provider.name`), where that is not its name here. */
  readonly telemetryName?: string;
  /**
   * `chat` speaks OpenAI's APIs over HTTP, chat completions and as `responses` says the Responses API; `anthropic` is a native endpoint of the Messages API, to which everything
   * is handed on; `demo` is answered inside the process.
   */
  readonly protocol: 'chat' | 'anthropic' | 'demo';
  /** Without a trailing slash; `/chat/completions`, `/responses` or `/v1/messages` is appended. Empty when the user must give it. */
  readonly baseUrl: string;
  /** Where the provider's paths are its own; without it `/chat/completions` follows the address. */
  readonly endpoints?: Endpoints;
  /** Header that carries the key as it is; without it the key is a bearer token in `authorization`. */
  readonly keyHeader?: string;
  /** Whether the server usually asks for no key, as those on the user's own machine: then none is demanded. */
  readonly keyOptional?: true;
  /** Addresses for other regions, by the value of REGION; keys usually belong to one region. */
  readonly regions?: Readonly<Record<string, string>>;
  /**
   * Host names by which the provider is recognised when PROVIDER is absent; with the beginning of a path where one host
   * serves several presets (the longest that fits counts), `.example.com` for all hosts below it.
   */
  readonly hosts: readonly string[];
  /** Other names under which users keep this provider's key; OPENAI_API_KEY always works. */
  readonly keyNames: readonly string[];
  /** Port of the example env file. */
  readonly port?: number;
  /** Whether the provider serves Claude itself: names of Claude models pass as they are, unless the user has set their tier. */
  readonly servesClaude?: true;
  /** Whether a native endpoint counts tokens exactly and for nothing, so that it is asked. */
  readonly countsTokens?: true;
  /**
   * By which of its APIs the provider searches the web itself where a model may: the search of the Responses API, which a request has to
   * ask for, or that of the Messages API, which the client asks for.
   */
  readonly hostedSearch?: 'responses' | 'messages';
  /** Whether ids of its models have a first part of their own, like `vendor/model`, so that no prefix is taken off a name. */
  readonly idsHaveSlash?: true;
  /** The provider's name in models.dev's catalogue, from which `./manage providers --refresh` takes prices and limits. */
  readonly catalogue?: string;
  /** Undefined when the user must name the models. */
  readonly tiers?: Tiers;
  /** In their place with PROTOCOL=chat, where not all of them serve by chat completions. */
  readonly chatTiers?: Tiers;
  readonly models: Readonly<Record<string, ModelFacts>>;
  readonly quirks: Partial<QuirkSettings>;
  /** Absent where nothing is known of it: then it is spoken only where PROTOCOL says so. */
  readonly responses?: ResponsesFacts;
  /** What the provider's own error codes or types mean, where status and words leave it open. */
  readonly errorCodes?: Readonly<Record<string, ErrorCode>>;
  readonly links: { readonly keys?: string; readonly docs?: string };
  /** What a user of this provider should know before the first start, one sentence each. */
  readonly notes?: readonly string[];
  /** Day on which the facts were checked, YYYY-MM-DD. */
  readonly checked: string;
}

/**
 * A provider's models at its native endpoint: limits and prices are those of its chat preset, the quirks of chat completions stay
 * behind.
 * @param quirks those of the native endpoint, by model
 */
export function nativeModels(
  { models }: Preset,
  quirks: Readonly<Record<string, Partial<QuirkSettings>>> = {},
): Readonly<Record<string, ModelFacts>> {
  return Object.fromEntries(
    Object.entries(models).map(([name, { quirks: _chat, ...facts }]) => {
      const own = quirks[name];
      return [name, own === undefined ? facts : { ...facts, quirks: own }];
    }),
  );
}

/** The day of which what is known about a model is, YYYY-MM-DD; undefined for a model that the preset does not know. */
export function factsDay({ models, checked }: Preset, model: string): string | undefined {
  const facts = Object.hasOwn(models, model) ? models[model] : undefined;
  return facts && (facts.refreshed ?? checked);
}

const DAY_MS = 86_400_000;

/** Whole days from a day (YYYY-MM-DD) until `now`, in ms since 1970; 0 for a day to come. */
export function ageInDays(day: string, now: number): number {
  return Math.max(0, Math.floor((now - Date.parse(day)) / DAY_MS));
}

/** A server, as far as it matters for how it is asked. */
export interface Server {
  readonly preset: Preset;
  /** That of the preset where it is absent. */
  readonly baseUrl?: string;
  /** What PROTOCOL says; absent where the model decides. */
  readonly protocol?: OpenaiProtocol;
}

/** What is spoken to a provider. */
export type SpokenProtocol = Preset['protocol'] | 'responses';

/** By what a model is asked: always the same for a name, as a conversation that moved would lose its reasoning and its cache. */
export function protocolOf({ preset, baseUrl = preset.baseUrl, protocol }: Server, model: string): SpokenProtocol {
  const { responses, hosts } = preset;
  if (preset.protocol !== 'chat') return preset.protocol;
  if (protocol !== undefined) return protocol;
  if (responses === undefined) return 'chat';
  const family = familyOf(responses, model);
  if (family !== undefined) return family.protocol;
  return hosts.includes(URL.parse(baseUrl)?.hostname ?? '') ? responses.others : 'chat';
}

function familyOf({ families }: ResponsesFacts, model: string): ModelFamily | undefined {
  const beginnings = Object.keys(families).filter((beginning) => model.startsWith(beginning));
  const longest = beginnings.toSorted((one, other) => other.length - one.length)[0];
  return longest === undefined ? undefined : families[longest];
}

/** The settings that hold for one model of a provider: defaults, preset, model facts, those of the Responses API, the user's overrides. */
export function modelSettings(
  server: Server & { readonly overrides: Partial<QuirkSettings> },
  model: string,
  protocol: SpokenProtocol = protocolOf(server, model),
): QuirkSettings {
  const { preset, overrides } = server;
  const facts = Object.hasOwn(preset.models, model) ? preset.models[model] : undefined;
  const own = facts === undefined ? {} : settingsOfFacts(facts);
  if (protocol !== 'responses') return mergeSettings(preset.quirks, own, overrides);
  const { responses } = preset;
  const family = responses === undefined ? undefined : familyOf(responses, model);
  return mergeSettings(preset.quirks, own, responsesSettings, responses?.quirks ?? {}, family?.quirks ?? {}, overrides);
}

function settingsOfFacts(facts: ModelFacts): Partial<QuirkSettings> {
  return {
    ...(facts.contextWindow === undefined ? {} : { contextWindow: facts.contextWindow }),
    ...(facts.maxOutput === undefined ? {} : { maxOutput: facts.maxOutput }),
    ...(facts.vision === undefined ? {} : { vision: facts.vision }),
    ...facts.quirks,
  };
}
