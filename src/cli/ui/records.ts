/**
 * What the page's server answers about requests, usage and sessions; contract.ts has all other answers, and says what a page asks
 * for. Like that file it imports nothing.
 */

/** ISO 8601 in UTC. */
export type Timestamp = string;
/** A day of this machine's calendar, YYYY-MM-DD. */
export type Day = string;

/** Something that keeps an instance, or the machine, from working as it should. */
export interface Problem {
  /** null: the machine, or all of them. */
  readonly instance: string | null;
  readonly severity: 'warning' | 'bad';
  readonly problem: string;
  /** The command that repairs it, or what else to do. */
  readonly remedy: string | null;
}

/** How requests are chosen; all in the address, each as text. Several values of one name are alternatives. */
export interface RequestsQuery {
  readonly instance?: string;
  /** The model asked for or used. */
  readonly model?: string;
  /** A status (`429`), a class of them (`5xx`), an outcome (`client_closed`), or `failed` for all that went wrong. */
  readonly status?: string;
  /** The short hash of the log. */
  readonly session?: string;
  /** The name of a client that has a token of its own. */
  readonly client?: string;
  /** The id of a subagent; `any` for all of them, `none` for the main conversation. */
  readonly agent?: string;
  /** A part of the text of the error, or of its type, in any case. */
  readonly error?: string;
  /** Longer than so many ms. */
  readonly slower?: string;
  /** Dearer than so many US dollars. */
  readonly costlier?: string;
  /** The `cursor` of a row: what is older. */
  readonly before?: string;
  /** 1 to 500; 100 when absent. */
  readonly limit?: string;
}
export interface RequestsAnswer {
  /** The latest first. */
  readonly requests: readonly RequestRow[];
  /** `before` of the next page; null when there is none. */
  readonly next: string | null;
  readonly index: IndexState;
}
/** How far back the logs have been read; they are read from their end, while the first answers are given already. */
export interface IndexState {
  /** False while older records may still be found. */
  readonly is_complete: boolean;
  readonly records: number;
  /** Of the oldest record that is known. */
  readonly oldest_at: Timestamp | null;
  /** For the choices of the filters, the most frequent first; at most 100 of each. */
  readonly models: readonly string[];
  readonly clients: readonly string[];
}

export type Outcome = 'ok' | 'rejected' | 'error' | 'interrupted' | 'client_closed';
/** A row of the list: fields of the log, null where the record has none. */
export interface RequestRow {
  /** Its place in the list, unique. */
  readonly cursor: string;
  readonly id: string;
  readonly instance: string;
  /** When it ended. */
  readonly time: Timestamp;
  readonly endpoint: string;
  readonly provider: string;
  readonly tier: string | null;
  readonly route: string | null;
  readonly intent: string | null;
  /** As the client asked, and as the provider was asked. */
  readonly model: string | null;
  readonly upstream_model: string | null;
  readonly stream: boolean;
  readonly status: number;
  readonly outcome: Outcome;
  readonly error_type: string | null;
  readonly error_message: string | null;
  readonly input_tokens: number | null;
  readonly cache_read_tokens: number | null;
  readonly cache_creation_tokens: number | null;
  readonly output_tokens: number | null;
  /** US dollars; null: not known. */
  readonly cost: number | null;
  readonly first_event_ms: number | null;
  readonly duration_ms: number;
  /** How often a provider was asked; null: nobody was. */
  readonly attempts: number | null;
  /** How many candidates failed before the one that answered. */
  readonly fallbacks: number;
  readonly session: string | null;
  readonly agent: string | null;
  /** The name of the client, where it has a token of its own. */
  readonly client: string | null;
}

/** One request in full. */
export interface RequestDetail {
  /** The line of the log as `./manage logs --json` prints it; for the copy as JSON. */
  readonly record: Readonly<Record<string, unknown>>;
  readonly row: RequestRow;
  /** Why it went this way, a sentence each: what decided, each candidate that failed and why, repairs that were needed. */
  readonly why: readonly string[];
  /** In ms: until the first event (all of it when there was none), and from it to the end. */
  readonly times: { readonly waiting_ms: number; readonly streaming_ms: number };
  /** `fresh` neither came from the cache nor went into it; `reasoning` is a part of `output`. null: not known. */
  readonly tokens: Readonly<Record<'fresh' | 'cached' | 'written' | 'output' | 'reasoning', number | null>> & {
    /** They are estimates, as the provider gave none. */
    readonly estimated: boolean;
  };
  /** What was supplied that the model or its server lacks; null where it was not needed. */
  readonly supplied: {
    /** In the request, how many of them were described for it, and how many could not be; of the others it was known. */
    readonly pictures: {
      readonly total: number;
      readonly described: number;
      readonly failed: number;
      /** US dollars; null: not known. */
      readonly cost: number | null;
    } | null;
    /** Searches of the web by the proxy. */
    readonly searches: { readonly done: number; readonly failed: number; readonly cost: number | null } | null;
    /** Tools of the client that the model was not offered. */
    readonly tools_left_out: number | null;
  };
  readonly error: {
    readonly status: number;
    readonly type: string;
    readonly message: string;
    /** What can be done, a sentence or a command each. */
    readonly remedies: readonly string[];
    /** A page of the documentation, from the root of the project: `docs/ERRORS.md`. */
    readonly page: string;
  } | null;
}

export type UsageBy = 'model' | 'instance' | 'provider' | 'session' | 'project' | 'intent' | 'client' | 'day' | 'side';
export type Period = 'day' | 'week' | 'month';
export interface UsageQuery {
  /** `model` when absent. */
  readonly by?: UsageBy;
  /** `day` when absent. */
  readonly period?: Period;
  /** Days, both included; the last 30 days when absent. */
  readonly from?: Day;
  readonly to?: Day;
  /** Several are alternatives; all when absent. */
  readonly instance?: string;
  /** `1`: with the range of the same length before. */
  readonly compare?: '1';
  /** `all`: the sums over all machines that share a database; `this`, from the usage files, when absent. */
  readonly machines?: Machines;
}
export type Machines = 'this' | 'all';
export interface UsageFigures {
  readonly requests: number;
  readonly failed_requests: number;
  /** All of it, from the cache or not. */
  readonly input_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_creation_tokens: number;
  readonly output_tokens: number;
  readonly reasoning_tokens: number;
  /** US dollars of what has a known price; null: nothing of it has. */
  readonly cost_usd: number | null;
  readonly unpriced_requests: number;
  readonly last_request_at: Timestamp | null;
  readonly health_checks: number;
  /** Questions to side models, which describe pictures; they are in the tokens, the cost and what is unpriced. */
  readonly side_calls: number;
  /** Searches of the web, and their cost in US dollars as far as it is known, which is not in the cost. */
  readonly web_searches: number;
  readonly search_cost_usd: number;
}
export interface UsageLine extends UsageFigures {
  /** The day, model, hash of the session or folder and so on; `-` stands for none. */
  readonly group: string;
  /** What the user knows it by: the id of the session, the path of the folder. */
  readonly name: string | null;
}
export interface UsageAnswer {
  readonly by: UsageBy;
  readonly period: Period;
  readonly first_day: Day;
  readonly last_day: Day;
  /** As `./manage usage --json` has them, in its order. */
  readonly lines: readonly UsageLine[];
  readonly total: UsageFigures;
  readonly series: UsageSeries;
  /** The range before; null unless asked for. */
  readonly before: {
    readonly first_day: Day;
    readonly last_day: Day;
    readonly lines: readonly UsageLine[];
    readonly total: UsageFigures;
  } | null;
  /** Files and databases that could not be read, and so are not in the figures. */
  readonly unreadable: readonly Problem[];
  readonly machines: Machines;
  /** Whether an env file names a database, so that all machines can be asked for. */
  readonly has_database: boolean;
}
/** The bars: for each group one number for each period. */
export interface UsageSeries {
  /** The first day of each, without a gap. */
  readonly periods: readonly Day[];
  /** At most 12, the dearest first; the last may be all others together, whose `group` is null. */
  readonly groups: readonly {
    readonly group: string | null;
    readonly name: string | null;
    readonly requests: readonly number[];
    readonly input_tokens: readonly number[];
    readonly cache_read_tokens: readonly number[];
    readonly output_tokens: readonly number[];
    /** Of what has a known price. */
    readonly cost_usd: readonly number[];
    readonly unpriced_requests: readonly number[];
  }[];
}

export interface SessionsQuery {
  readonly from?: Day;
  readonly to?: Day;
  readonly instance?: string;
  /** 1 to 1000; 200 when absent. */
  readonly limit?: string;
}
export interface SessionsAnswer {
  readonly first_day: Day;
  readonly last_day: Day;
  /** The latest first. */
  readonly sessions: readonly SessionLine[];
  /** How many there are in the range. */
  readonly found: number;
  readonly unreadable: readonly Problem[];
}
/** One session of Claude Code; a turn is a request of its main conversation. */
export interface SessionLine extends UsageFigures {
  /** The short hash. */
  readonly session: string;
  /** What `claude --resume` takes; null when it is not known. */
  readonly session_id: string | null;
  /** The folder, or a hash of it. */
  readonly project: string | null;
  readonly instances: readonly string[];
  readonly providers: readonly string[];
  readonly models: readonly string[];
  readonly first_request_at: Timestamp;
  readonly turns: number;
  readonly agent_requests: number;
  /** Of the input, 0 to 1; null without input. */
  readonly cache_hit_share: number | null;
  readonly longest_ms: number;
}
