import type { JsonObject } from '../core/json.ts';
import type { Delta } from '../protocol/delta.ts';
import type { ChatRequest } from '../protocol/openai/types.ts';

/** Named repairs of a provider, composed into one chain from its settings (design decision 6). */
export interface Repairs {
  /** Brings a tool's schema into the provider's dialect (R137, R138). Never changes its argument. */
  readonly toolSchema: (schema: JsonObject) => JsonObject;
  /** The last word on a translated request. Never changes its argument. */
  readonly request: (body: ChatRequest) => ChatRequest;
  /**
   * The last word on the request to a native endpoint. Never changes its argument, and gives the same object when there is
   * nothing to repair.
   */
  readonly nativeRequest: (body: JsonObject) => JsonObject;
  /** One per answer, as it may hold state; gives the deltas that stand in for the one received. */
  readonly createDeltaRepair: () => DeltaRepair;
}

export type DeltaRepair = (delta: Delta) => readonly Delta[];
