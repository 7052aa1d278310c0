import type { JsonObject } from '../../core/json.ts';

export type StopReason =
  | 'end_turn'
  | 'tool_use'
  | 'max_tokens'
  | 'stop_sequence'
  | 'refusal'
  | 'model_context_window_exceeded';

/** Usage as Anthropic writes it; `input_tokens` excludes both cache figures (R205). */
export interface MessageUsage {
  input_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
  output_tokens: number;
}

export type MessageBlock =
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'text'; text: string }
  | ({ type: 'tool_use'; id: string; name: string; input: JsonObject } & JsonObject);

/** A complete answer of the Messages API (R201). */
export interface Message {
  id: string;
  type: 'message';
  role: 'assistant';
  model: string;
  content: MessageBlock[];
  stop_reason: StopReason;
  stop_sequence: string | null;
  usage: MessageUsage;
  /** Answers to the safety checks that the request asks for (R108). */
  safeguard_results?: readonly JsonObject[];
}

/** What stands beside the stop reason only when the request asks for it. */
export type MessageTail = Pick<Message, 'safeguard_results'>;
