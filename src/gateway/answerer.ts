import type { ProviderKey } from '../config/config.ts';
import type { ApiError } from '../core/errors.ts';
import type { FailureContext } from '../upstream/errors.ts';
import type { AnswerReader, UpstreamRequest } from '../upstream/upstream.ts';
import type { Route } from './route.ts';

/** One request as it is sent, and who reads its answer. */
export interface Attempt {
  readonly request: UpstreamRequest;
  readonly reader: AnswerReader;
  /** Silence within the answer after which it is given up, in ms (R326). */
  readonly idleTimeoutMs: number;
  /** How long to wait for the usage after the answer has finished, in ms (R313). */
  readonly usageWaitMs: number;
}

/** The way in which one candidate answers the client's request: what it is sent, and how its answer is read. */
export interface Answerer {
  readonly route: Route;
  /** Whether an answer that says nothing is asked for once more (R215). */
  readonly mayRepeatEmpty: boolean;
  /** Does work for the attempts in advance that would hold up all others at a stretch; undefined when there is none. */
  prepare?(): Promise<void> | undefined;
  /**
   * Makes the next attempt; each has a reader of its own.
   * @throws ApiError when there is no key to send
   */
  createAttempt(key: ProviderKey): Attempt;
  /** What puts the failures of the latest attempt into words. */
  failureContext(): FailureContext;
  /** Changes what the provider refused; false when nothing can be changed (R413). */
  heal(error: ApiError): boolean;
  /** Whether the latest attempt is answered with one body rather than with events. */
  readonly isWhole: boolean;
  /**
   * The body of such an answer, after its end.
   * @param output what its reader has given out
   */
  bodyOf(output: string): string;
  /** Writes into the log line what the answer has come to. */
  record(): void;
}
