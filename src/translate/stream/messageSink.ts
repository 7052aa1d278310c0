import type { ApiError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { MessageUsage, StopReason } from '../../protocol/anthropic/message.ts';

/**
 * What the state machine says; one implementation writes events, the other builds the message. The machine keeps the
 * grammar: start comes first and once, at most one block is open, append fits the open block, finish or fail comes
 * last.
 */
export interface MessageSink {
  start(): void;
  openThinking(): void;
  openText(): void;
  /** `fields` are extra members of the block that must come back with it (R135). */
  openTool(id: string, name: string, fields: JsonObject): void;
  /** Adds to the open block: thinking, text, or arguments as JSON text. Well-formed Unicode. */
  append(text: string): void;
  /** The signature of the open thinking block, just before it is closed (R212). */
  sign(signature: string): void;
  close(): void;
  finish(stopReason: StopReason, stopSequence: string | null, usage: MessageUsage): void;
  /** The answer has failed after its start. An unfinished block stays open (R329). */
  fail(error: ApiError): void;
}
