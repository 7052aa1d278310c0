import type { ApiError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';

/**
 * The middle vocabulary: what any provider's answer is made of, whether it came as a stream or as one JSON body.
 * Providers' chunks are read into deltas, quirks repair deltas, and one state machine turns them into Anthropic's words.
 */
export type Delta =
  | { readonly kind: 'thinking'; readonly text: string }
  /** Opaque reasoning state that the provider wants back in the next request (R135), as JSON text. */
  | { readonly kind: 'reasoningState'; readonly state: string }
  | { readonly kind: 'text'; readonly text: string }
  | ToolCallDelta
  | { readonly kind: 'usage'; readonly usage: Usage }
  | { readonly kind: 'finish'; readonly reason: string; readonly stopSequence?: string }
  | { readonly kind: 'error'; readonly error: ApiError };

/** A piece of a tool call. Every field may be missing: providers leave out index, id or name as they please (R309, R310). */
export interface ToolCallDelta {
  readonly kind: 'toolCall';
  readonly index?: number;
  readonly id?: string;
  readonly name?: string;
  readonly arguments: string;
  /** Unknown fields of the call that must come back with it, such as `extra_content` (R135). */
  readonly extra?: JsonObject;
}

/** Token counts as Anthropic separates them (R205): `input` excludes both cache figures. */
export interface Usage {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheCreation: number;
  /** The part of the output that was reasoning, where the provider says so. */
  readonly reasoning?: number;
}
