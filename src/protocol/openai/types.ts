import type { JsonObject } from '../../core/json.ts';

export type ChatContentPart =
  | ({ type: 'text'; text: string } & JsonObject)
  | { type: 'image_url'; image_url: { url: string } }
  | { type: 'file'; file: { filename: string; file_data: string } };

export interface ChatToolCall extends JsonObject {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

export interface ChatMessage extends JsonObject {
  role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  content?: string | null | ChatContentPart[];
  tool_calls?: ChatToolCall[];
  tool_call_id?: string;
}

export interface ChatTool extends JsonObject {
  type: 'function';
  function: { name: string; description: string; parameters: JsonObject } & JsonObject;
}

/** A chat completions request, in the order in which its fields are written (the bytes must be the same for each turn, for the provider's prompt cache). */
export interface ChatRequest extends JsonObject {
  model: string;
  messages: ChatMessage[];
  tools?: ChatTool[];
}
