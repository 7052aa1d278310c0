/**
 * The body of `GET /health`: what a process of an instance reports of itself. The gateway writes it, the manager reads it, and
 * so may a user's own monitoring: fields are added, never renamed or given another meaning. It holds no secret.
 */
export interface HealthReport {
  /** Distinguishes an instance from any other web server. */
  readonly service: 'claude-code-proxy';
  readonly instance: string;
  readonly pid: number;
  /** The number of this process among those of the instance, from 1 on. */
  readonly part: number;
  /** Whether other processes of the instance may listen on the same port. */
  readonly shares_port: boolean;
  readonly host: string;
  readonly port: number;
  readonly started_at: Timestamp;
  readonly uptime_seconds: number;
  readonly version: string;
  /** Equal for equal settings. */
  readonly config_hash: string;
  readonly config_loaded_at: Timestamp;
  /** What is wrong with the files as they are now, so that the configuration before them serves. */
  readonly config_problems: readonly ConfigProblem[];
  /** Names of changed settings that take effect after a restart only. */
  readonly restart_needed: readonly string[];
  readonly state: 'serving' | 'draining';
  /** Whether Node's permission model restricts the process; `unavailable` where the system cannot start it so, as Windows. */
  readonly permission_model: 'on' | 'off' | 'unavailable';
  readonly provider: { readonly name: string; readonly title: string; readonly base_url: string };
  /** The model of each tier. */
  readonly models: { readonly big: string; readonly middle: string; readonly small: string };
  /** Where the provider's key comes from. */
  readonly key: string;
  /** Whether clients need a token. */
  readonly client_token: boolean;
  /** Of the first provider. */
  readonly circuit: CircuitState;
  readonly strategy: string;
  /** In the order of their priority. */
  readonly providers: readonly ProviderHealth[];
  /** Of the first provider. */
  readonly queue: { readonly running: number; readonly waiting: number };
  readonly in_flight: number;
  /** Since the start; each request that has ended is in one of the others, too. */
  readonly requests: {
    readonly total: number;
    readonly ok: number;
    readonly rejected: number;
    readonly failed: number;
    readonly client_closed: number;
  };
  /** Since the start; `input` is what neither came from the provider's cache nor went into it. */
  readonly tokens: {
    readonly input: number;
    readonly cache_read: number;
    readonly cache_creation: number;
    readonly output: number;
  };
  readonly web_search: SearchHealth;
  /** What of the tools of clients' sessions has been lost since the start. */
  readonly tools: {
    /** Sessions in which the model was not offered all tools, as its server takes no more. */
    /** So many the model’s server is sent at most; null where it has no limit that is known. */
    readonly most: number | null;
    readonly limited_sessions: number;
    /** How many were left out of the latest request of such a session. */
    readonly left_out: number;
    /** Sessions in which Claude Code has given up its search for tools after a refusal. */
    readonly search_lost_sessions: number;
    /** What the latest of these refusals said. */
    readonly search_lost_reason: string | null;
  };
  readonly last_success_at: Timestamp | null;
  readonly last_error: LastError | null;
  /** Who describes pictures to models that see none; null where nobody does. */
  readonly vision: VisionHealth | null;
  /** Requests since the start whose pictures the model did not get to see, as nobody describes them. */
  readonly unseen_pictures: number;
  readonly log: WriterHealth & { readonly path: string };
  readonly usage: WriterHealth;
  /** The database that gets a copy of the usage file; null where there is none. */
  readonly usage_database: DatabaseHealth | null;
  /** The OpenTelemetry collector that gets traces and metrics; null where there is none. Counts are spans. */
  readonly otlp: (WriterHealth & { readonly traces: string | null; readonly metrics: string | null }) | null;
  readonly memory_bytes: number;
}

/** ISO 8601 in UTC, which sorts as text. */
type Timestamp = string;

/** The side model for pictures, and what it has done since the start. */
export interface VisionHealth {
  readonly model: string;
  /** `VISION_MODEL` or `VISION_URL`. */
  readonly setting: string;
  /** Address of the server that gets the pictures. */
  readonly base_url: string;
  readonly described: number;
  readonly failed: number;
}

export type CircuitState = 'closed' | 'open' | 'half-open';

/** Something that is wrong with the files of the configuration. */
export interface ConfigProblem {
  readonly file: string;
  readonly line: number | null;
  readonly key: string;
  readonly found: string;
  readonly fix: string;
}

/** How one provider of an instance fares. */
export interface ProviderHealth {
  readonly name: string;
  readonly priority: number;
  readonly base_url: string;
  /** Per tier the model that is asked, then those that are asked when it fails. */
  readonly models: {
    readonly big: readonly string[];
    readonly middle: readonly string[];
    readonly small: readonly string[];
  };
  /** By what the first model of each tier is asked: `chat`, `responses`, `anthropic` or `demo`. */
  readonly protocols: { readonly big: string | null; readonly middle: string | null; readonly small: string | null };
  readonly circuit: CircuitState;
  readonly keys: readonly KeyHealth[];
  readonly last_answer_at: Timestamp | null;
}

/** One key of a provider; `resting` while it is in its cooldown. */
export interface KeyHealth {
  /** Distinguishes the keys without showing them. */
  readonly label: string;
  readonly source: string;
  readonly state: 'ready' | 'resting';
  readonly until: Timestamp | null;
  readonly reason: string | null;
  /** Of the error that began the cooldown: whether the key was refused, has no credit left, or is limited. */
  readonly error_type: string | null;
}

/** Searches of the web since the start. */
export interface SearchHealth {
  /** The search API that this proxy asks; null where it asks none. */
  readonly back_end: string | null;
  readonly searches: number;
  readonly failed: number;
  /** Requests for a search that nobody could do. */
  readonly refused: number;
  readonly last_failure: { readonly at: Timestamp; readonly reason: string } | null;
}

/** The latest request that a provider or the proxy failed. */
export interface LastError {
  readonly at: Timestamp;
  readonly status: number;
  readonly type: string;
  readonly message: string;
}

/** How the copying to the database goes. */
export interface DatabaseHealth extends WriterHealth {
  /** Without user and password. */
  readonly server: string;
  /** Rows of the usage file that are not in the database yet. */
  readonly waiting: number;
}

/** How the writing of the log or of the usage file goes; counts are lines or rows since the start. */
export interface WriterHealth {
  readonly written: number;
  readonly dropped: number;
  readonly healthy: boolean;
  readonly last_error?: string;
}
