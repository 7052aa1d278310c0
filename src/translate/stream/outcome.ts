import type { ApiError } from '../../core/errors.ts';
import type { MessageUsage, StopReason } from '../../protocol/anthropic/message.ts';

/** How an answer stands: a live view that is read while it runs and logged at its end. */
export interface Outcome {
  /** The message has begun: from now on a failure is an error event, before it an HTTP status (R317). */
  readonly started: boolean;
  /** The provider has said why it stopped; only usage can still come (R313). */
  readonly finished: boolean;
  /** Nothing more will be written. */
  readonly ended: boolean;
  readonly error: ApiError | undefined;
  /** The answer ended well and says nothing at all (R215). */
  readonly empty: boolean;
  readonly stopReason: StopReason | undefined;
  /** The provider's own word for why it stopped. */
  readonly finishReason: string | undefined;
  readonly usage: MessageUsage;
  /** The part of the output tokens that was reasoning, where the provider says so. */
  readonly reasoningTokens: number | undefined;
  /** The provider gave no token counts (R206). */
  readonly usageEstimated: boolean;
  readonly upstreamModel: string | undefined;
  readonly upstreamId: string | undefined;
  /** UTF-16 units that were written, by kind. */
  readonly thinkingCharacters: number;
  readonly textCharacters: number;
  readonly argumentCharacters: number;
  readonly toolCalls: number;
  /** Lines of the stream that were not JSON (R322). */
  readonly skippedLines: number;
  /** Oddities that were mended or passed over, each once, for the log. */
  readonly notes: readonly string[];
}

/** The same, for the two that keep it up to date: the translator and the machine. */
export type OutcomeRecord = { -readonly [K in keyof Outcome]: Outcome[K] } & { notes: string[] };

export function createOutcome(inputEstimate: number): OutcomeRecord {
  return {
    started: false,
    finished: false,
    ended: false,
    error: undefined,
    empty: false,
    stopReason: undefined,
    finishReason: undefined,
    usage: {
      input_tokens: inputEstimate,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 0,
    },
    reasoningTokens: undefined,
    usageEstimated: true,
    upstreamModel: undefined,
    upstreamId: undefined,
    thinkingCharacters: 0,
    textCharacters: 0,
    argumentCharacters: 0,
    toolCalls: 0,
    skippedLines: 0,
    notes: [],
  };
}

export function addNote(outcome: OutcomeRecord, note: string): void {
  if (!outcome.notes.includes(note)) outcome.notes.push(note);
}
