import type { ApiError } from '../core/errors.ts';

/** What goes to the client: text, or bytes as they came. */
export type Output = string | Uint8Array;

/** Reads an answer and turns it into output for the client; the translator of `translate/stream` is one. */
export interface AnswerReader {
  pushBytes(bytes: Uint8Array): Output;
  pushJson(text: string): Output;
  end(): Output;
  settle(): Output;
  /** Leaves an error in the outcome, unless the answer was complete but for its end. */
  fail(error: ApiError): Output;
  readonly outcome: {
    readonly ended: boolean;
    readonly finished: boolean;
    readonly empty: boolean;
    readonly error?: ApiError | undefined;
  };
}

/** How an answer stands before its first byte, to be kept by a reader that hands it on. */
export function openOutcome(): { ended: boolean; finished: boolean; empty: boolean; error?: ApiError } {
  return { ended: false, finished: false, empty: false };
}
