import type { JsonObject } from '../../core/json.ts';
import type { Repairs } from '../../quirks/compose.ts';
import type { OpenaiProtocol, QuirkSettings } from '../../quirks/settings.ts';
import type { ConversationCache } from '../conversationCache.ts';
import type { ReasoningReplay } from './reasoningReplay.ts';
import type { Pairing, ToolNames } from './toolNames.ts';
import type { ToolDefinition } from './tools.ts';

/** So many notes, and so many letters of each, are kept of a request: parts of them come from the client. */
const NOTES_MAX = 50;
const NOTE_LETTERS_MAX = 200;

/** Short words for the log about what was changed or left out; each once per request. */
export class Notes extends Set<string> {
  override add(note: string): this {
    return this.size < NOTES_MAX ? super.add(note.slice(0, NOTE_LETTERS_MAX)) : this;
  }
}

/** What the parts of one request's translation share; everything in it is settled before the messages are written. */
export interface Context {
  readonly target: ResolvedModel;
  readonly settings: QuirkSettings;
  /** Tools that the model is offered, by the client's name. */
  readonly tools: ReadonlyMap<string, ToolDefinition>;
  /** How many more the client has sent than the server takes. */
  readonly toolsLeftOut: number;
  readonly toolNames: ToolNames;
  readonly pairing: Pairing;
  /** Call to the id that it has for the provider. */
  readonly toolIds: ReadonlyMap<object, string>;
  /** Blocks whose cache breakpoint is passed on. */
  readonly breakpoints: ReadonlySet<JsonObject>;
  readonly notes: Notes;
  readonly cache: ConversationCache;
  readonly replay: ReasoningReplay;
  /** How much reasoning had been refused when the translation began. */
  readonly refusals: number;
}

/** What a request is translated for: one model of one provider. */
export interface ResolvedModel {
  /** Name of the preset, the tag of what must travel back to this provider. */
  readonly provider: string;
  readonly name: string;
  /** Which of OpenAI's APIs it is asked by; of no matter at a native endpoint. */
  readonly protocol: OpenaiProtocol;
  readonly settings: QuirkSettings;
  /** MAX_TOKENS_LIMIT and MIN_TOKENS_LIMIT of the instance. */
  readonly maxTokensLimit?: number;
  readonly minTokensLimit?: number;
  readonly repairs: Repairs;
}
