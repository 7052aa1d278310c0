import type { Secret } from '../core/secret.ts';
import type { Preset, Prices, Tiers } from '../providers/preset.ts';
import type { QuirkSettings } from '../quirks/settings.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Where the provider's key comes from: `client` means that the client's own key is passed through (design decision 14). */
export interface ProviderKey {
  readonly source: 'file' | 'environment' | 'secret file' | 'client' | 'none';
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
  readonly host: string;
  readonly port: number;
  /** Further host names under which clients may call (R508), lower case. */
  readonly allowedHosts: readonly string[];
  /** The token that clients must present; undefined means none, which is allowed on loopback only (R507). */
  readonly clientToken: Secret | undefined;
  readonly provider: ProviderConfig;
  /** Names as routing knows them: `custom/<id>` for a model of the models file. */
  readonly tiers: Tiers;
  /** Path of the models file as problems show it; undefined when there is none. */
  readonly modelsFile: string | undefined;
  /** The models of the models file by `customId`. */
  readonly customModels: ReadonlyMap<string, CustomModel>;
  readonly modelPrefixes: ModelPrefixes;
  /** PRICES_FILE: by model, the earliest first. They go before all other prices. */
  readonly prices: ReadonlyMap<string, readonly DatedPrices[]>;
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
