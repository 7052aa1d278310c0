import type { ApiError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { UpstreamErrorBody } from '../../protocol/openai/errors.ts';
import type { DeltaRepair } from '../../quirks/compose.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';
import type { ToolNames } from '../toolNames.ts';

/** What the translation of one answer needs to know about its request. */
export interface ResponseContext {
  /** Unique (R201): Claude Code merges answers of the same id. */
  readonly messageId: string;
  /** The model that the client asked for, which is the one it is told (R103). */
  readonly requestedModel: string;
  /** Name of the preset, the tag on state that must come back to it (R135). */
  readonly provider: string;
  /** Estimated tokens of the request (R303). */
  readonly inputEstimate: number;
  readonly settings: QuirkSettings;
  readonly toolNames: ToolNames;
  /** Input schemas by the client's tool names. */
  readonly offeredTools: ReadonlyMap<string, JsonObject>;
  /** Stop strings to be matched here, because the server does not take them. */
  readonly stopSequences: readonly string[];
  /** The output limit that was sent (R204). */
  readonly maxTokens?: number;
  /** What the end of the answer says to the safety checks that were asked for (R108). */
  readonly safeguardResults?: readonly JsonObject[];
  /** A new id per call, unique in the conversation (R131). */
  readonly mintToolId: () => string;
  readonly deltaRepair: DeltaRepair;
  /** Reads the provider's error into one of ours, the same as for an HTTP error (R402). */
  readonly toApiError: (error: UpstreamErrorBody) => ApiError;
}
