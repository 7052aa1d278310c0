import { ApiError } from '../../core/errors.ts';
import { asString, isObject, type JsonObject } from '../../core/json.ts';
import { DEPTH_MAX, isTooDeep } from '../bounds.ts';

/**
 * A Messages API request as it arrives, typed only as far as the proxy reads it. Unknown fields and block types are kept,
 * because clients add fields several times a month. `parseRequest` has checked what must hold.
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

/** What was found about parts of earlier bodies; requests of one conversation share them as objects. */
export interface ParseCache {
  /** Messages as they were parsed, by what the client sent. */
  readonly parsedMessages: WeakMap<object, RequestMessage>;
  /** Elements of lists directly below a body that were found shallow enough. */
  readonly shallowElements: WeakSet<object>;
}

/** Depth of messages, tools and blocks of the system prompt. */
const ELEMENT_DEPTH = 3;

const ROLES: ReadonlySet<unknown> = new Set(['user', 'assistant', 'system', 'developer']);

/**
 * Reads the body of a Messages API call. Only what cannot be served is refused, with an `invalid_request` ApiError
 * that names the path; anything unknown stays in place.
 * @param cache of the conversation; without it everything is read anew
 */
export function parseRequest(value: unknown, cache?: ParseCache): MessagesRequest {
  const request = parseEnvelope(value, cache);
  if (request.messages.length === 0) throw invalid('messages', 'needs at least one message');
  return request;
}

/** Reads the body of a count_tokens call, which may lack messages. */
export function parseCountRequest(value: unknown, cache?: ParseCache): MessagesRequest {
  return parseEnvelope(isObject(value) && value['messages'] == null ? { ...value, messages: [] } : value, cache);
}

/** Does most of the work of reading a request in advance, with a pause after each message. What is wrong with it is left to be found. */
export function* parseInSteps(value: unknown, cache: ParseCache): Generator<void> {
  const messages = isObject(value) ? value['messages'] : undefined;
  if (!Array.isArray(messages)) return;
  for (const [index, message] of messages.entries()) {
    if (!isObject(message) || cache.parsedMessages.has(message)) continue;
    if (isTooDeep(message, ELEMENT_DEPTH)) return;
    cache.shallowElements.add(message);
    parseMessage(message, `messages.${index}`, cache);
    yield;
  }
}

function parseEnvelope(value: unknown, cache: ParseCache | undefined): MessagesRequest {
  if (!isObject(value)) throw invalid('body', 'must be a JSON object');
  checkDepth(value, cache?.shallowElements);
  const { model, messages, tool_choice: toolChoice } = value;
  if (typeof model !== 'string' || model.trim() === '') throw invalid('model', 'is missing');
  if (!Array.isArray(messages)) throw invalid('messages', 'must be a list');
  if (isObject(toolChoice) && toolChoice['type'] === 'tool' && !isName(toolChoice['name'])) {
    throw invalid('tool_choice', 'type tool needs name');
  }
  const parsed: RequestMessage[] = [];
  for (const [index, message] of messages.entries()) {
    const known = isObject(message) ? cache?.parsedMessages.get(message) : undefined;
    parsed.push(known ?? parseMessage(message, `messages.${index}`, cache));
  }
  if (typeof value['max_tokens'] === 'number' && value['max_tokens'] < 0)
    throw invalid('max_tokens', 'must not be negative');
  return { ...value, model, messages: parsed };
}

function parseMessage(message: unknown, path: string, cache: ParseCache | undefined): RequestMessage {
  if (!isObject(message)) throw invalid(path, 'must be an object');
  const { role, content } = message;
  if (typeof role !== 'string' || !ROLES.has(role)) {
    throw invalid(`${path}.role`, 'must be user, assistant or system');
  }
  const parsed: RequestMessage = { ...message, role, content: parseContent(content, `${path}.content`) };
  cache?.parsedMessages.set(message, parsed);
  // A request that was made of parsed messages has them again.
  cache?.parsedMessages.set(parsed, parsed);
  return parsed;
}

function parseContent(content: unknown, path: string): string | ContentBlock[] {
  if (content == null || typeof content === 'string') return content ?? '';
  if (!Array.isArray(content)) throw invalid(path, 'must be a string or a list of blocks');
  return content.map((block, index) => parseBlock(block, `${path}.${index}`));
}

function parseBlock(block: unknown, path: string): ContentBlock {
  if (typeof block === 'string') return { type: 'text', text: block };
  if (!isObject(block)) throw invalid(path, 'must be an object');
  const { type } = block;
  if (typeof type !== 'string') throw invalid(path, 'needs type');
  if (type === 'tool_use' && !isName(block['id'])) throw invalid(path, 'tool_use needs id');
  if (type === 'tool_use' && !isName(block['name'])) throw invalid(path, 'tool_use needs name');
  if (type === 'tool_result' && !isName(block['tool_use_id'])) throw invalid(path, 'tool_result needs tool_use_id');
  return block as ContentBlock;
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

/**
 * Throws for what is nested deeper than anybody means, before anything walks it recursively.
 * @param shallow elements that need not be looked at again; takes in those of this body
 */
export function checkDepth(body: JsonObject, shallow?: WeakSet<object>): void {
  const elements: object[] = [];
  const isKnown = (value: object, depth: number): boolean => {
    if (depth !== ELEMENT_DEPTH) return false;
    if (shallow?.has(value) === true) return true;
    elements.push(value);
    return false;
  };
  if (isTooDeep(body, 1, isKnown)) throw invalid('body', `is nested deeper than ${DEPTH_MAX} levels`);
  for (const element of elements) shallow?.add(element);
}

function invalid(path: string, fault: string): ApiError {
  return new ApiError('invalid_request', `${path}: ${fault}`);
}

const ATTRIBUTION = 'x-anthropic-billing-header:';

/**
 * The text without a leading attribution line and one blank line after it: its checksum differs from request to request and
 * would make every prefix cache miss.
 */
export function removeAttribution(text: string): string {
  const trimmed = text.trimStart();
  if (!trimmed.startsWith(ATTRIBUTION)) return text;
  const end = trimmed.indexOf('\n');
  return end < 0 ? '' : trimmed.slice(end + 1).replace(/^[ \t]*\r?\n/, '');
}

/** What the system messages inside the conversation have changed of its tools so far. */
export interface ToolChanges {
  /** Definitions by name, in the order in which they came. */
  readonly added: ReadonlyMap<string, JsonObject>;
  readonly removed: ReadonlySet<string>;
  /** Deferred tools that were made available by their name. */
  readonly found: ReadonlySet<string>;
}

/** Reads the blocks `tool_addition` and `tool_removal` of the messages in their order: the last one of a tool counts. */
export function toolChanges(messages: readonly JsonObject[]): ToolChanges {
  const added = new Map<string, JsonObject>();
  const removed = new Set<string>();
  const found = new Set<string>();
  for (const { role, content } of messages) {
    if (!Array.isArray(content) || (role !== 'system' && role !== 'developer')) continue;
    for (const block of content) {
      if (!isObject(block) || (block['type'] !== 'tool_addition' && block['type'] !== 'tool_removal')) continue;
      const { tool } = block;
      if (!isObject(tool)) continue;
      const definition = isObject(tool['definition']) ? tool['definition'] : undefined;
      const name = asString((definition ?? tool)['name']) ?? '';
      if (block['type'] === 'tool_removal') removed.add(name);
      else {
        removed.delete(name);
        if (definition === undefined) found.add(name);
        else added.set(name, definition);
      }
    }
  }
  return { added, removed, found };
}
