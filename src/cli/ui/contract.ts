/**
 * What the page in the browser and its server say to each other: the types of every answer and event. Of the manager the page imports
 * this file and records.ts alone, so these import nothing else, either. Names are those of the `--json` of `status`, `top`, `usage`,
 * `logs`, `list` and `doctor` wherever these have the figure. Every text may hold words of providers and clients: it is text, never
 * markup.
 *
 * | request | answer |
 * | --- | --- |
 * | `POST /api/session`, {@link SessionRequest} | {@link SessionAnswer}, and the cookie |
 * | `GET /api/now` | {@link NowAnswer} |
 * | `GET /api/requests?`{@link RequestsQuery} | {@link RequestsAnswer} |
 * | `GET /api/request?instance=NAME&id=ID&time=TIME` | {@link RequestDetail}; 404 when its log file is gone |
 * | `GET /api/usage?`{@link UsageQuery} | {@link UsageAnswer} |
 * | `GET /api/usage.csv?by&from&to&instance` | the text of `./manage usage --csv` |
 * | `GET /api/sessions?`{@link SessionsQuery} | {@link SessionsAnswer} |
 * | `GET /api/setup` | {@link SetupAnswer} |
 * | `GET /api/live` | server-sent events: {@link LiveEvents} |
 * | `POST /api/actions`, {@link ActionRequest} | lines of JSON while it runs: {@link ActionLine}; 409 while another one of the instance runs |
 *
 * All but the first need the cookie, and the key of {@link SessionAnswer} in the header {@link KEY_HEADER}: another port of this machine
 * would get the cookie of 127.0.0.1, too, but not the key. So the page reads events with `fetch`, as an EventSource sends no header of
 * its own. What fails is answered with a status from 400 on and a {@link FailureAnswer}; 403 means that the page has to be opened anew.
 */
import type {
  Problem,
  RequestDetail,
  RequestRow,
  RequestsAnswer,
  RequestsQuery,
  SessionsAnswer,
  SessionsQuery,
  Timestamp,
  UsageAnswer,
  UsageQuery,
} from './records.ts';

export type { RequestDetail, RequestsAnswer, RequestsQuery, SessionsAnswer, SessionsQuery, UsageAnswer, UsageQuery };

/** The header of every request but the first; a form cannot send it. */
export const KEY_HEADER = 'x-page-key';

/** `secret` is what stands behind `#` in the address that was opened; it can be exchanged once. */
export interface SessionRequest {
  readonly secret: string;
}
export interface SessionAnswer {
  /** To be kept by the page (`localStorage`) as long as the cookie; both end with the server. */
  readonly key: string;
}

/** The body of every answer from 400 on. */
export interface FailureAnswer {
  readonly error: {
    readonly message: string;
    /** A command, or what else to do. */
    readonly remedy: string | null;
  };
}

/** How serious something is, from nothing to do to out of service. */
export type Severity = 'good' | 'idle' | 'warning' | 'bad';

/** All instances at one moment. */
export interface NowAnswer {
  readonly at: Timestamp;
  /** Of the manager. */
  readonly version: string;
  readonly instances: readonly InstanceNow[];
  /** Of all instances together. */
  readonly total: Figures;
  /** Those of the instances, then what `./manage doctor` has found of the machine within the last minute. */
  readonly problems: readonly Problem[];
}

export interface InstanceNow {
  readonly name: string;
  readonly severity: Severity;
  /** `ready`, `crashing (5 restarts)`: the word of `./manage status`. */
  readonly words: string;
  /** What the word means. */
  readonly meaning: string;
  readonly status: InstanceStatus;
  readonly figures: Figures;
  /** The last 60 minutes, the latest last. */
  readonly minutes: readonly MinuteFigures[];
  /** The command that runs for it through a page at present. */
  readonly action: ActionCommand | null;
}

export type Circuit = 'closed' | 'open' | 'half-open';
export interface TierModels {
  readonly big: string | null;
  readonly middle: string | null;
  readonly small: string | null;
}

/** An instance as in `./manage status --json`, as far as the page shows it. Fields of `providers` may be missing: an older build runs. */
export interface InstanceStatus {
  readonly env_file: string;
  readonly host: string | null;
  readonly port: number | null;
  readonly state: string;
  readonly condition: string;
  readonly condition_reason: string | null;
  readonly condition_remedy: string | null;
  readonly supervised: boolean;
  readonly provider: string | null;
  readonly providers: readonly ProviderStatus[] | null;
  readonly models: TierModels;
  /** Where the key comes from, never the key. */
  readonly key: string | null;
  readonly pid: number | null;
  readonly restarts: number | null;
  readonly started_at: Timestamp | null;
  readonly uptime_seconds: number | null;
  readonly memory_bytes: number | null;
  readonly version: string | null;
  readonly config_loaded_at: Timestamp | null;
  readonly restart_needed: readonly string[];
  readonly in_flight: number | null;
  readonly requests: Partial<
    Record<'total' | 'ok' | 'rejected' | 'failed' | 'client_closed', number | undefined>
  > | null;
  /** Who describes pictures to a model that sees none; null where nobody does. */
  readonly vision:
    | (Partial<Record<'model' | 'setting' | 'base_url', string | undefined>> &
        Partial<Record<'described' | 'failed', number | undefined>>)
    | null;
  /** Requests whose pictures the model did not see, as nobody describes them. */
  readonly unseen_pictures: number | null;
  readonly web_search:
    | (Partial<Record<'searches' | 'failed' | 'refused', number | undefined>> & {
        /** Who searches the web for it; null where nobody does. */
        readonly back_end?: string | null | undefined;
        readonly last_failure?: Partial<Record<'at' | 'reason', string | undefined>> | null | undefined;
      })
    | null;
  /** How many tools the model is sent at most; null where no limit is known. */
  readonly tools: Partial<Record<'most' | 'limited_sessions' | 'left_out', number | null | undefined>> | null;
  readonly last_success_at: Timestamp | null;
  readonly last_error:
    | (Partial<Record<'at' | 'type' | 'message', string | undefined>> & { readonly status?: number | undefined })
    | null;
}
export interface ProviderStatus {
  readonly name?: string | undefined;
  readonly base_url?: string | undefined;
  readonly circuit?: Circuit | undefined;
  readonly keys?: readonly KeyStatus[] | undefined;
  readonly last_answer_at?: Timestamp | null | undefined;
}
export interface KeyStatus {
  readonly label?: string | undefined;
  readonly state?: 'ready' | 'resting' | undefined;
  /** When it is used again. */
  readonly until?: Timestamp | null | undefined;
  readonly reason?: string | null | undefined;
}

/** The figures of `./manage top --json`. */
export interface Figures {
  readonly in_flight: number;
  readonly waiting: number;
  /** Rates of the last minute, latencies of the last five; null when the usage file cannot be read. */
  readonly recent: {
    readonly requests_per_second: number;
    readonly input_tokens_per_second: number;
    readonly output_tokens_per_second: number;
    readonly first_event_ms: Latencies;
    readonly duration_ms: Latencies;
  } | null;
  readonly today: {
    readonly requests: number;
    readonly failed_requests: number;
    /** US dollars of what has a known price. */
    readonly cost_usd: number;
    readonly unpriced_requests: number;
  } | null;
}
export interface Latencies {
  readonly p50: number | null;
  readonly p95: number | null;
}
export interface MinuteFigures {
  readonly at: Timestamp;
  readonly requests: number;
  readonly failed_requests: number;
  readonly output_tokens: number;
}

export interface SetupAnswer {
  readonly instances: readonly SetupInstance[];
  /** Without asking the providers. */
  readonly findings: readonly DoctorFinding[];
  readonly found_at: Timestamp;
  /** Files of envs/ that are not used, a sentence each. */
  readonly ignored: readonly string[];
}
export interface SetupInstance {
  readonly name: string;
  /** From the root of the project: `envs/demo.env`. */
  readonly env_file: string;
  readonly provider: string | null;
  readonly provider_title: string | null;
  readonly address: string | null;
  readonly models: TierModels | null;
  /** Masked. */
  readonly key: string | null;
  readonly sound: boolean;
  /** What is in force, keys masked: the lines of `claude-code-proxy --check`; empty when the file is wrong. */
  readonly settings: readonly string[];
  readonly problems: readonly FileProblem[];
  /** How Claude Code is run through it: with the manager, by hand, and what a word in capitals stands for. */
  readonly use: {
    readonly run: string;
    readonly by_hand: string;
    readonly note: string | null;
    readonly in_project: string;
  };
}
export interface FileProblem {
  readonly file: string;
  readonly line: number | null;
  readonly key: string;
  readonly found: string;
  readonly fix: string;
  readonly severity: 'error' | 'warning';
}
/** As in `./manage doctor --json`. */
export interface DoctorFinding {
  readonly check: string;
  readonly instance: string | null;
  readonly result: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  readonly remedy: string | null;
  /** Whether `./manage doctor --fix` repairs it. */
  readonly fixable: boolean;
}

/**
 * The events by their names; the data is JSON. After a break the page asks again with the last id in the header `last-event-id`, and
 * gets what it has missed, or `lost`. At the begin, without one, it gets an empty `requests` with an id: what it lists after that
 * lacks nothing, and a row may come twice (its `cursor` shows it).
 */
export interface LiveEvents {
  /** Each second, while a page is open. */
  readonly now: NowAnswer;
  /** What has ended since, the oldest first; at most four a second, each at most 500. Has an id. */
  readonly requests: { readonly requests: readonly RequestRow[] };
  /** Records that will not come: the list has to be read anew. `count` is null when it is not known. Has an id. */
  readonly lost: { readonly count: number | null };
  /** Log files were deleted: when the logs of each instance begin now. What is older is gone, and so are instances that are missing. */
  readonly kept: { readonly oldest: Readonly<Record<string, Timestamp>> };
  /** A command has begun or ended, in this page or another one. */
  readonly action: { readonly instance: string; readonly command: ActionCommand; readonly exit_code: number | null };
}

export const actionCommands = ['start', 'stop', 'restart', 'reload', 'test'] as const;
export type ActionCommand = (typeof actionCommands)[number];
export interface ActionRequest {
  readonly command: ActionCommand;
  readonly instance: string;
}
/** A line of the answer: what the command writes, as it writes it, then its end. It goes on when nobody listens any more. */
export type ActionLine =
  | { readonly line: string }
  /** 0: done. */
  | { readonly exit_code: number };
