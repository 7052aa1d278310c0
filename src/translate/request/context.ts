import type { JsonObject } from '../../core/json.ts';
import type { Repairs } from '../../quirks/compose.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';
import type { ConversationCache } from '../conversationCache.ts';
import type { Pairing, ToolNames } from './toolNames.ts';
import type { ToolDefinition } from './tools.ts';

/** What the parts of one request's translation share; everything in it is settled before the messages are written. */
export interface Context {
  readonly target: Target;
  readonly settings: QuirkSettings;
  /** Tools that the model is offered, by the client's name. */
  readonly tools: ReadonlyMap<string, ToolDefinition>;
  readonly toolNames: ToolNames;
  readonly pairing: Pairing;
  /** Call to the id that it has for the provider. */
  readonly toolIds: ReadonlyMap<object, string>;
  /** Blocks whose cache breakpoint is passed on. */
  readonly breakpoints: ReadonlySet<JsonObject>;
  /** Short words for the log about what was changed or left out; each once per request. */
  readonly notes: Set<string>;
  readonly cache: ConversationCache;
}

/** What a request is translated for: one model of one provider. */
export interface Target {
  /** Name of the preset, the tag of what must travel back to this provider (R135). */
  readonly provider: string;
  readonly model: string;
  readonly settings: QuirkSettings;
  /** MAX_TOKENS_LIMIT and MIN_TOKENS_LIMIT of the instance. */
  readonly maxTokensLimit?: number;
  readonly minTokensLimit?: number;
  readonly repairs: Repairs;
}
