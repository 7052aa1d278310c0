/** What a hook learns of the request. */
export interface HookInfo {
  readonly instance: string;
  /** `req_...`, as in the log. */
  readonly id: string;
  /** Before the request is routed, the provider that is shown first; with the answer, the one that gave it. */
  readonly provider: string;
  /** The model that the client asked for. */
  readonly model: string | undefined;
  readonly stream: boolean;
  /** The subagent's id. */
  readonly agent: string | undefined;
  /** A short hash of the session's id, as in the log. */
  readonly session: string | undefined;
}

/** The functions that a hooks file may export. */
export const hookNames = ['request', 'response'] as const;
export type HookName = (typeof hookNames)[number];

/**
 * The user's own functions (HOOKS_FILE) on requests and answers as JSON texts. What is wrong with them is logged, and then it is as
 * if there were none: nothing here rejects, and nothing takes longer than the time limit.
 */
export interface Hooks {
  /** Whether a call of the hook may do anything. */
  has(name: HookName): boolean;
  /** Gives the changed text; undefined when the hook leaves it as it is. */
  call(name: HookName, text: string, info: HookInfo): Promise<string | undefined>;
  /** Takes no more calls; resolves when those under way are over. */
  close(): Promise<void>;
}
