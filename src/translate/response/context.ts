import type { ApiError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { MessageUsage, StopReason } from '../../protocol/anthropic/message.ts';
import type { UpstreamErrorBody } from '../../protocol/openai/errors.ts';
import type { DeltaRepair } from '../../quirks/compose.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';
import type { ToolNames } from '../request/toolNames.ts';

/** What the translation of one answer needs to know about its request. */
export interface ResponseContext {
  /** Unique: Claude Code merges answers of the same id. */
  readonly messageId: string;
  /** The model that the client asked for, which stands in the answer. */
  readonly requestedModel: string;
  /** The form of the provider's answer. */
  readonly protocol: 'chat' | 'responses';
  /** Name of the preset, the tag on state that must come back to it. */
  readonly provider: string;
  /** Of the provider's address and key, which alone can read its encrypted reasoning; '' where there is none. */
  readonly reasoningFingerprint: string;
  /** Estimated tokens of the request. */
  readonly inputEstimate: number;
  readonly settings: QuirkSettings;
  readonly toolNames: ToolNames;
  /** Input schemas by the client's tool names. */
  readonly offeredTools: ReadonlyMap<string, { readonly schema: JsonObject }>;
  /** Stop strings to be matched here, because the server does not take them. */
  readonly stopSequences: readonly string[];
  /** The output limit that was sent. */
  readonly maxTokens?: number;
  /** What the end of the answer says to the safety checks that were asked for. */
  readonly safeguardResults?: readonly JsonObject[];
  /** A new id per call, unique in the conversation. */
  readonly createToolId: () => string;
  /** Undefined where the provider's deltas need none. */
  readonly deltaRepair: DeltaRepair | undefined;
  /** Reads the provider's error into one of ours, the same as for an HTTP error. */
  readonly toApiError: (error: UpstreamErrorBody) => ApiError;
}

/** How an answer stands: a live view that is read while it runs and logged at its end. */
export interface Outcome {
  /** The message has begun: from now on a failure is an error event, before it an HTTP status. */
  readonly started: boolean;
  /** The provider has said why it stopped; only usage can still come. */
  readonly finished: boolean;
  /** Nothing more will be written. */
  readonly ended: boolean;
  readonly error: ApiError | undefined;
  /** The answer ended well and says nothing at all. */
  readonly empty: boolean;
  readonly stopReason: StopReason | undefined;
  /** The provider's own word for why it stopped. */
  readonly finishReason: string | undefined;
  readonly usage: MessageUsage;
  /** The part of the output tokens that was reasoning, where the provider says so. */
  readonly reasoningTokens: number | undefined;
  /** The provider gave no token counts. */
  readonly usageEstimated: boolean;
  readonly upstreamModel: string | undefined;
  readonly upstreamId: string | undefined;
  /** The class of service in which the provider has answered, in its own word. */
  readonly serviceTier: string | undefined;
  /** UTF-16 units that were written, by kind. */
  readonly thinkingCharacters: number;
  readonly textCharacters: number;
  readonly argumentCharacters: number;
  readonly toolCalls: number;
  /** Lines of the stream that were not JSON. */
  readonly skippedLines: number;
  /** Oddities that were repaired or passed over, each once, for the log. */
  readonly notes: readonly string[];
}

/** The same, for the two that keep it up to date: the translator and the state machine. */
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
    serviceTier: undefined,
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
