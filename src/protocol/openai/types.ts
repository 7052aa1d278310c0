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

/** A part of what the model gets to read. */
export type InputPart =
  | { type: 'input_text'; text: string; prompt_cache_breakpoint?: { mode: 'explicit' } }
  | { type: 'input_image'; image_url: string; detail: 'auto' }
  | { type: 'input_file'; filename: string; file_data: string; detail?: 'low' | 'high' }
  | { type: 'input_file'; file_url: string; detail?: 'low' | 'high' };

/** One item of a conversation in the Responses API, where messages, reasoning, calls and their outputs are siblings. */
export type ResponseItem =
  | { type?: never; role: 'user' | 'system' | 'developer'; content: InputPart[] }
  | {
      type?: never;
      role: 'assistant';
      content: { type: 'output_text'; text: string }[] | string;
      phase?: 'commentary' | 'final_answer';
    }
  | {
      type: 'reasoning';
      role?: never;
      summary: { type: 'summary_text'; text: string }[];
      encrypted_content?: string;
      content?: { type: 'reasoning_text'; text: string }[];
    }
  | { type: 'function_call'; role?: never; call_id: string; name: string; arguments: string }
  | { type: 'function_call_output'; role?: never; call_id: string; output: string | InputPart[] };

export type ResponseTool = {
  type: 'function';
  name: string;
  description: string;
  parameters: JsonObject;
  strict: false;
};

/** The provider's own search of the web. */
export type HostedSearchTool = {
  type: 'web_search';
  filters?: { allowed_domains: string[] };
  user_location?: { type: 'approximate'; city?: string; region?: string; country?: string; timezone?: string };
};

/** A request of the Responses API, in the order in which its fields are written. */
export interface ResponsesRequest extends JsonObject {
  model: string;
  instructions?: string;
  input: ResponseItem[];
  tools?: (ResponseTool | HostedSearchTool)[];
  tool_choice?: 'auto' | 'none' | 'required' | { type: 'function'; name: string };
  parallel_tool_calls?: false;
  reasoning?: {
    effort?: string;
    summary?: 'auto' | 'concise' | 'detailed';
    context?: 'auto' | 'current_turn' | 'all_turns';
  };
  text?: {
    format?: { type: 'json_object' } | { type: 'json_schema'; name: string; schema: JsonObject; strict: false };
    verbosity?: 'low' | 'medium' | 'high';
  };
  max_tool_calls?: number;
  max_output_tokens?: number;
  temperature?: number;
  top_p?: number;
  prompt_cache_key?: string;
  safety_identifier?: string;
  prompt_cache_options?: { ttl: '30m' | '12h' };
  service_tier?: 'default' | 'flex' | 'priority';
  store: false;
  include?: ('reasoning.encrypted_content' | 'web_search_call.action.sources')[];
  stream?: true;
  stream_options?: { include_obfuscation: false };
}

/** What a provider with OpenAI's API is asked with. */
export type OpenaiRequest = ChatRequest | ResponsesRequest;
