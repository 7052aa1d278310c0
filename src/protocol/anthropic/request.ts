import type { JsonObject } from '../../core/json.ts';

/**
 * A Messages API request as it arrives, typed only as far as the proxy reads it. Unknown fields and block types are kept
 * (R101): clients add fields several times a month. `parseRequest` has checked what must hold (R105).
 */
export interface MessagesRequest extends JsonObject {
  model: string;
  messages: RequestMessage[];
}

export interface RequestMessage extends JsonObject {
  role: string;
  content: string | ContentBlock[];
}

/** Any content block; the code that reads one switches on `type` and ignores what it does not know. */
export interface ContentBlock extends JsonObject {
  type: string;
}
