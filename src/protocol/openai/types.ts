import type { Json, JsonObject } from '../../core/json.ts';

/** OpenAI's two APIs: chat completions and Responses. */
export type OpenaiProtocol = 'chat' | 'responses';

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

/** A part of what the model gets to read, or of what it has written. */
export type ResponsePart =
  | ({ type: 'input_text' | 'output_text'; text: string } & JsonObject)
  | { type: 'input_image'; image_url: string; detail: 'auto' }
  | { type: 'input_file'; filename: string; file_data: string; detail?: 'low' | 'high' }
  | { type: 'input_file'; file_url: string; detail?: 'low' | 'high' };

/** One item of a conversation in the Responses API, where messages, reasoning, calls and their outputs are siblings. */
export type ResponseItem = JsonObject &
  (
    | {
        type?: never;
        role: 'user' | 'assistant' | 'system' | 'developer';
        content: ResponsePart[] | string;
        phase?: 'commentary' | 'final_answer';
      }
    | { type: 'reasoning'; summary: Json[]; encrypted_content?: string; content?: Json[] }
    | { type: 'function_call'; call_id: string; name: string; arguments: string }
    | { type: 'function_call_output'; call_id: string; output: string | ResponsePart[] }
  );

export interface ResponseTool extends JsonObject {
  type: 'function';
  name: string;
  description: string;
  parameters: JsonObject;
  strict: false;
}

/** A request of the Responses API, in the order in which its fields are written. */
export interface ResponsesRequest extends JsonObject {
  model: string;
  instructions?: string;
  input: ResponseItem[];
  tools?: ResponseTool[];
}

/** What a provider with OpenAI's API is asked with. */
export type OpenaiRequest = ChatRequest | ResponsesRequest;
