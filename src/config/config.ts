import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { Secret } from '../core/secret.ts';
import type { Preset, Prices, Tiers } from '../providers/preset.ts';
import type { SearchApi } from '../providers/searchApis.ts';
import type { OpenaiProtocol, QuirkSettings } from '../quirks/settings.ts';
import type { RouteName, SettingFields } from './env/settings.ts';

/** Where the provider's key comes from: `client` means that the client's own key is passed through (decision 0006). */
export interface ProviderKey {
  readonly source: 'file' | 'environment' | 'secret file' | 'providers file' | 'client' | 'none';
  /** Name of the variable that holds it, for messages. */
  readonly variable: string;
  /** Present unless the source is `client` or `none`. */
  readonly secret?: Secret;
}

/** Proxies between this machine and the provider. */
export type NetworkProxy = SettingFields['networkProxy'];

/** By which certificate authorities servers are trusted, beside those that the process knows by itself. */
export interface Authorities {
  /** CA_FILE as it is written; undefined when there is none. */
  readonly file: string | undefined;
  /** Those of CA_FILE, in PEM. */
  readonly certificates: readonly string[];
  /** SYSTEM_CA: whether those count that this machine trusts. */
  readonly system: boolean;
}

export interface ProviderConfig {
  readonly preset: Preset;
  /** Without a trailing slash. */
  readonly baseUrl: string;
  /** Full address of chat completions or messages, by the preset's protocol; `{model}` in it stands for the model's name. */
  readonly endpoint: string;
  /** Full address of the Responses API; absent for a preset that speaks none of OpenAI's APIs. */
  readonly responsesEndpoint?: string;
  /** Which of OpenAI's APIs PROTOCOL names; absent where the model decides. */
  readonly protocol?: OpenaiProtocol;
  /** Lower-case name of the header that carries the key: `authorization` with a bearer token, any other with the bare key. */
  readonly keyHeader: string;
  readonly key: ProviderKey;
  /** CUSTOM_HEADER_*: lower-case names; they replace a header of the same name. */
  readonly headers: Readonly<Record<string, string>>;
  /** QUIRK_* of the env file. */
  readonly overrides: Partial<QuirkSettings>;
  /** Further keys of the same account, among which conversations are shared out. */
  readonly moreKeys?: readonly ProviderKey[];
}

/** The search API that this proxy asks for Claude Code. */
export interface WebSearchConfig {
  readonly api: SearchApi;
  /** Its full address. */
  readonly endpoint: string;
  readonly key: Secret | undefined;
  /** Where the key comes from: `provider` where it is that of the instance's provider. */
  readonly keySource: ProviderKey['source'] | 'provider';
  /** US dollars for a search; undefined when it is not known. */
  readonly price: number | undefined;
}

export type Strategy = 'priority' | 'round_robin' | 'random' | 'weighted';

/** A provider behind the instance: the env file's own, or one of the providers file. */
export interface NamedProvider {
  /** Unique within the instance; stands in routing targets (`name,model`), the log and the answer's headers. */
  readonly name: string;
  readonly provider: ProviderConfig;
  /** The lower goes first. */
  readonly priority: number;
  /** Share of the conversations under the strategy `weighted`. */
  readonly weight: number;
  /** Per tier the model that is asked, then those that are asked when it fails, all by the names that routing knows. */
  readonly models: Readonly<Record<keyof Tiers, readonly string[]>>;
  /** Time until the answer must have begun, in ms. */
  readonly requestTimeoutMs: number;
  /** Repetitions of a failed request to this provider; undefined leaves it to MAX_RETRIES and to whether another can be asked. */
  readonly maxRetries: number | undefined;
}

/** A client with a token of its own, and what it may use; undefined is no limit. */
export interface ClientToken {
  readonly name: string;
  /** SHA-256 of the token, 64 hexadecimal digits in lower case. */
  readonly sha256: string;
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerDay: number | undefined;
  /** US dollars. */
  readonly costPerMonth: number | undefined;
  /** By the names that routing knows, or tiers. */
  readonly models: readonly string[] | undefined;
  /** The last day (YYYY-MM-DD) on which it is valid. */
  readonly expires: string | undefined;
}

/** CLIENT_TOKENS_FILE: who may use the instance beside its owner. */
export interface ClientTokens {
  /** Its path as it is written. */
  readonly file: string;
  /** How many processes share the limits. */
  readonly replicas: number;
  readonly clients: readonly ClientToken[];
}

/** ROUTER_*: where requests of a kind go in place of their tier's model, by the names that routing knows. */
export type Router = { readonly [Route in RouteName]?: string };

/** A model of the models file: served at an address of its own, or at the instance's with settings of its own. */
export interface CustomModel {
  /** Name that the user gave it, without `custom/`. */
  readonly id: string;
  /** `custom/<id>`: by this name routing and tiers know it. */
  readonly name: string;
  /** The server's name for it. */
  readonly model: string;
  /** Its server; `headers` and `overrides` hold what the file says of the model. */
  readonly provider: ProviderConfig;
  readonly prices?: Prices;
}

/** A model that can be asked: the name it has here, and the server that it stands for. */
export interface ModelRef {
  /** In the log, headers and settings: `custom/<id>`, `<provider>,<model>`, or the bare model of the first provider. */
  readonly name: string;
  /** The server's name for it. */
  readonly model: string;
  /** The server that is asked. */
  readonly provider: ProviderConfig;
  /** The provider of the instance whose server it is; undefined for one that stands in the models file only. */
  readonly named?: NamedProvider;
  /** Its entry in the models file. */
  readonly custom?: CustomModel;
}

/** The model that describes pictures to models that cannot see them. */
export interface VisionModel {
  readonly ref: ModelRef;
  /** How it is called in descriptions and for the user. */
  readonly label: string;
  /** The setting that names it. */
  readonly setting: 'VISION_MODEL' | 'VISION_URL';
}

/** Knows what every name of a model stands for. */
export interface ModelRefs {
  /** For a name of the configuration it is always the same object. A name that means nothing else is a model of the first provider. */
  of(name: string): ModelRef;
}

/** Prices with the first day (YYYY-MM-DD) on which they hold; empty for always. */
export interface DatedPrices extends Prices {
  readonly from: string;
}

/** First parts of model names that are taken off, in lower case. */
export interface ModelPrefixes {
  /** Those that name the instance's own provider. */
  readonly own: readonly string[];
  readonly other: readonly string[];
}

/**
 * The whole configuration of one instance, checked and frozen: what is derived from several settings or files, and the values
 * that are taken over from the settings as they are (`field` in env/settings.ts says where each stands, and what it means).
 */
export interface Config extends SettingFields {
  /** Name of the env file without its ending. */
  readonly instance: string;
  /** The manager as its user calls it, for commands in messages: `MANAGER_COMMAND` of the environment, else `./manage`. */
  readonly manager: string;
  /** Absolute path of the env file. */
  readonly file: string;
  /** Absolute paths of all files it was made of, the env file among them, and of those that would count if they were there. */
  readonly files: readonly string[];
  /** PORT, else the preset's. */
  readonly port: number;
  /** The token that clients must present; undefined means none, which is allowed on loopback only. */
  readonly clientToken: Secret | undefined;
  /** Clients with tokens of their own; undefined where nobody has one. */
  readonly clients: ClientTokens | undefined;
  /** The first of `providers`: the one that is shown and that names without a provider mean. */
  readonly provider: ProviderConfig;
  /** Names as routing knows them: `custom/<id>` for a model of the models file, `<provider>,<model>` for another provider's. */
  readonly tiers: Tiers;
  /** By priority, never empty. */
  readonly providers: readonly NamedProvider[];
  /** Path of the providers file as problems show it; undefined when there is none. */
  readonly providersFile: string | undefined;
  readonly strategy: Strategy;
  readonly router: Router;
  /** Undefined where nobody describes pictures. */
  readonly vision: VisionModel | undefined;
  /** Path of the models file as problems show it; undefined when there is none. */
  readonly modelsFile: string | undefined;
  /** PRICES_FILE as it is written; undefined when there is none. */
  readonly pricesFile: string | undefined;
  /** The models of the models file by `customId`. */
  readonly customModels: ReadonlyMap<string, CustomModel>;
  /** What the names of all these models, and those of clients, stand for. */
  readonly modelRefs: ModelRefs;
  readonly modelPrefixes: ModelPrefixes;
  /** PRICES_FILE: by model, the earliest first. They go before all other prices. */
  readonly prices: ReadonlyMap<string, readonly DatedPrices[]>;
  /** HOOKS_FILE: its absolute path, and the SHA-256 of its text, by which a changed one is known. */
  readonly hooks: { readonly file: string; readonly digest: string } | undefined;
  readonly authorities: Authorities;
  /** Undefined where this proxy searches nothing itself. */
  readonly webSearch: WebSearchConfig | undefined;
  readonly healthCheck: {
    /** Pause between the checks of a provider that nobody asks, in ms; 0 for none. */
    readonly intervalMs: number;
    /** `models` asks for the list of models, `request` for an answer of one token. */
    readonly ask: 'models' | 'request';
  };
  /** First 12 hexadecimal digits of SHA-256 over the effective settings, keys included only as their hash. */
  readonly hash: string;
  /** Every secret of the configuration, for redaction. */
  readonly secrets: readonly Secret[];
}

/** One fault of a configuration: where it is, what was found, how to repair it. */
export interface Problem {
  readonly file: string;
  /** 1-based; absent when the setting is missing or comes from the environment. */
  readonly line?: number;
  /** Name of the setting, variable or field. */
  readonly key: string;
  /** What was found, never a secret's value. */
  readonly found: string;
  readonly fix: string;
  /** A warning does not keep the instance from starting. */
  readonly severity: 'error' | 'warning';
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The value as plain data whose JSON text does not depend on the order of fields; secrets as their hash. */
function canonical(value: unknown): unknown {
  if (value instanceof Secret) return sha256(value.reveal());
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, field]) => [name, canonical(field)]));
}

/** First 12 hexadecimal digits of SHA-256 over settings: equal for equal settings, without giving a secret away. */
export function fingerprint(settings: object): string {
  return sha256(JSON.stringify(canonical(settings))).slice(0, 12);
}

function clean(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/-{2,}/g, '-')
    .replaceAll(/^[.-]+|[.-]+$/g, '');
}

/**
 * Name of the instance of an env file: `work.env`, `.env-work` and `.env.work` -> work; `.env` -> its folder.
 * Lower-case letters, digits and `._-`, never two dashes in a row, which part instance and model in the model list.
 */
export function instanceName(file: string): string {
  const name = basename(file);
  const own = clean(name.replace(/^\.?env\b/i, '').replace(/\.env$/i, ''));
  return own || clean(basename(dirname(file))) || 'default';
}

/** The address at which a server that listens on `host` can be reached from this machine. */
export function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

/** `127.0.0.1:8081`: where a client on this machine finds the instance. */
export function clientAddress(config: Pick<Config, 'host' | 'port'>): string {
  const host = reachableHost(config.host);
  return `${host.includes(':') ? `[${host}]` : host}:${config.port}`;
}

/** The same as a URL. */
export function clientBaseUrl(config: Pick<Config, 'host' | 'port'>): string {
  return `http://${clientAddress(config)}`;
}

/** The client gives up a request whose answer has not begun by then. The proxy begins it long before, so it only needs to be large. */
export const CLIENT_TIMEOUT_MS = 3_000_000;
