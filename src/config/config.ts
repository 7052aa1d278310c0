import type { Secret } from '../core/secret.ts';
import type { Preset, Prices, Tiers } from '../providers/preset.ts';
import type { QuirkSettings } from '../quirks/settings.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Where the provider's key comes from: `client` means that the client's own key is passed through (decision 0006). */
export interface ProviderKey {
  readonly source: 'file' | 'environment' | 'secret file' | 'providers file' | 'client' | 'none';
  /** Name of the variable that holds it, for messages. */
  readonly variable: string;
  /** Present unless the source is `client` or `none`. */
  readonly secret?: Secret;
}

/** Proxies between this machine and the provider. */
export interface NetworkProxy {
  readonly httpProxy: string | undefined;
  readonly httpsProxy: string | undefined;
  readonly noProxy: string | undefined;
}

export interface ProviderConfig {
  readonly preset: Preset;
  /** Without a trailing slash. */
  readonly baseUrl: string;
  /** Full address of chat completions or messages, by the preset's protocol; `{model}` in it stands for the model's name. */
  readonly endpoint: string;
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

/** ROUTER_*: where requests of a kind go in place of their tier's model, by the names that routing knows. */
export interface Router {
  readonly default?: string;
  readonly background?: string;
  readonly think?: string;
  readonly longContext?: string;
  readonly image?: string;
  readonly subagent?: string;
  readonly webSearch?: string;
}

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

/** The whole configuration of one instance, checked and frozen. */
export interface Config {
  /** Name of the env file without its ending. */
  readonly instance: string;
  /** Absolute path of the env file. */
  readonly file: string;
  /** Absolute paths of all files it was made of, the env file among them, and of those that would count if they were there. */
  readonly files: readonly string[];
  readonly host: string;
  readonly port: number;
  /** Further host names under which clients may call (R508), lower case. */
  readonly allowedHosts: readonly string[];
  /** The token that clients must present; undefined means none, which is allowed on loopback only (R507). */
  readonly clientToken: Secret | undefined;
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
  /** Estimated input tokens from which on `router.longContext` is asked (LONG_CONTEXT_THRESHOLD). */
  readonly longContextThreshold: number;
  /** Path of the models file as problems show it; undefined when there is none. */
  readonly modelsFile: string | undefined;
  /** PRICES_FILE as it is written; undefined when there is none. */
  readonly pricesFile: string | undefined;
  /** The models of the models file by `customId`. */
  readonly customModels: ReadonlyMap<string, CustomModel>;
  readonly modelPrefixes: ModelPrefixes;
  /** PRICES_FILE: by model, the earliest first. They go before all other prices. */
  readonly prices: ReadonlyMap<string, readonly DatedPrices[]>;
  /** HOOKS_FILE: its absolute path, and the SHA-256 of its text, by which a changed one is known. */
  readonly hooks: { readonly file: string; readonly digest: string } | undefined;
  readonly networkProxy: NetworkProxy;
  readonly limits: {
    /** Tokens; undefined leaves the client's wish within the model's own limit. */
    readonly maxTokens: number | undefined;
    readonly minTokens: number | undefined;
    readonly maxBodyBytes: number;
  };
  /** Time until the provider's answer must have begun, in ms (REQUEST_TIMEOUT). */
  readonly requestTimeoutMs: number;
  /** Repetitions of a failed upstream request before anything was sent to the client (R409). */
  readonly maxRetries: number;
  readonly budget: {
    /** Most requests to providers for one of the client's (MAX_ATTEMPTS). */
    readonly attempts: number;
    /** Time after which nobody else is asked, in ms (FALLBACK_SECONDS). */
    readonly timeMs: number;
  };
  readonly breaker: {
    /** So many failures within `windowMs` keep requests away for `openMs` (R410). */
    readonly failures: number;
    readonly windowMs: number;
    readonly openMs: number;
  };
  readonly healthCheck: {
    /** Pause between the checks of a provider that nobody asks, in ms; 0 for none. */
    readonly intervalMs: number;
    /** `models` asks for the list of models, `request` for an answer of one token. */
    readonly ask: 'models' | 'request';
  };
  readonly concurrency: {
    /** Requests to one server at the same time; 0 means any number (MAX_CONCURRENT). */
    readonly places: number;
    /** Requests that may wait for a place (MAX_QUEUE). */
    readonly queueLength: number;
  };
  readonly logs: {
    readonly level: LogLevel;
    /** Absolute; the instance writes to a folder of its own name below it. */
    readonly directory: string;
    readonly maxSizeBytes: number;
    readonly retentionMs: number;
    readonly maxTotalBytes: number;
  };
  /** Absolute; holds what instances have learned and used. */
  readonly stateDirectory: string;
  /** How many days usage is kept; 0 is for ever. */
  readonly usageRetentionDays: number;
  /** Whether the process gives up all rights that it does not need (docs/SECURITY.md). */
  readonly permissionModel: 'on' | 'off';
  /** How long running answers may go on after a stop signal, in ms. */
  readonly drainMs: number;
  /** First 12 hexadecimal digits of SHA-256 over the effective settings, keys included only as their hash. */
  readonly hash: string;
  /** Every secret of the configuration, for redaction. */
  readonly secrets: readonly Secret[];
}

/** One fault of a configuration: where it is, what was found, how to mend it. */
export interface Problem {
  readonly file: string;
  /** 1-based; absent when the key is missing or comes from the environment. */
  readonly line?: number;
  readonly key: string;
  /** What was found, never a secret's value. */
  readonly found: string;
  readonly fix: string;
  /** A warning does not keep the instance from starting. */
  readonly severity: 'error' | 'warning';
}
