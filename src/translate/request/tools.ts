import { asString, isObject, type JsonObject, replaceLoneSurrogatesOnce } from '../../core/json.ts';
import { type ContentBlock, type MessagesRequest, toolChanges } from '../../protocol/anthropic/request.ts';
import type { ChatRequest, ChatTool, HostedSearchTool } from '../../protocol/openai/types.ts';
import type { Repairs } from '../../quirks/compose.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';
import type { ToolNames } from './toolNames.ts';

/** A tool that the client runs and the model is offered. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  /** As the client wrote it. */
  readonly schema: JsonObject;
  readonly strict: boolean | undefined;
}

/** What Claude Code sends in place of its deferred tools; it cannot be called. */
const PLACEHOLDER_TOOL = 'DeferredToolPlaceholder';

/**
 * The tools to offer, by name: no server tools, no placeholder, nothing that is hidden. In the client's order, but
 * deferred ones last, as they were found: the client puts a found tool among the others by its letter, and whatever
 * stands behind it would be lost to the provider's prompt cache.
 */
export function selectTools(
  request: MessagesRequest,
  settings: QuirkSettings,
  notes: Set<string>,
): ReadonlyMap<string, ToolDefinition> {
  const selected = new Map<string, ToolDefinition>();
  const changes = toolChanges(request.messages);
  const declared = Array.isArray(request['tools']) ? request['tools'] : [];
  const offered = changes.added.size === 0 ? declared : [...declared, ...changes.added.values()];
  const deferredNames = new Set<string>();
  // Only deferred tools are looked for in the results of the whole conversation.
  const hasDeferred = offered.some((tool) => isObject(tool) && tool['defer_loading'] === true);
  const found = hasDeferred ? referencedTools(request, changes.found) : changes.found;
  for (const tool of offered) {
    if (!isObject(tool)) continue;
    const name = asString(tool['name']) ?? '';
    const type = asString(tool['type']) ?? '';
    const schema = tool['input_schema'];
    const deferred = tool['defer_loading'] === true;
    if (changes.removed.has(name)) continue;
    if (SERVER_TOOL.test(type)) notes.add(`server_tool_removed:${type}`);
    else if (deferred && (name === PLACEHOLDER_TOOL || (settings.defer === 'progressive' && !found.has(name))))
      continue;
    else if (name === '' || !isObject(schema)) notes.add(`tool_without_schema:${name}`);
    else if (selected.has(name)) notes.add(`tool_repeated:${name}`);
    else {
      const strict = typeof tool['strict'] === 'boolean' ? tool['strict'] : undefined;
      selected.set(name, { name, description: asString(tool['description']) ?? '', schema, strict });
      if (deferred) deferredNames.add(name);
    }
  }
  return deferredNames.size === 0 ? selected : putLast(selected, deferredNames, found);
}

/** The deferred tools behind the others: in the order in which they were found, or the client's when not all were found. */
function putLast(
  tools: ReadonlyMap<string, ToolDefinition>,
  deferred: ReadonlySet<string>,
  found: ReadonlySet<string>,
): ReadonlyMap<string, ToolDefinition> {
  const order = [...deferred].every((name) => found.has(name)) ? found : deferred;
  const sorted = new Map([...tools].filter(([name]) => !deferred.has(name)));
  for (const name of order) {
    const tool = deferred.has(name) ? tools.get(name) : undefined;
    if (tool !== undefined) sorted.set(name, tool);
  }
  return sorted;
}

/**
 * Names of the tools that a tool search has found so far.
 * @param named those that became available otherwise
 */
function referencedTools(request: MessagesRequest, named: ReadonlySet<string>): ReadonlySet<string> {
  const names = new Set<string>(named);
  for (const { content } of request.messages) {
    if (typeof content === 'string') continue;
    for (const block of content) {
      if (block.type !== 'tool_result' || !Array.isArray(block['content'])) continue;
      for (const part of block['content']) {
        if (isObject(part) && part['type'] === 'tool_reference') names.add(asString(part['tool_name']) ?? '');
      }
    }
  }
  return names;
}

/** A tool of the client with the name and the schema that the provider gets. */
interface FunctionDefinition {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonObject;
  readonly strict: boolean | undefined;
}

/** How one of OpenAI's APIs writes a tool. */
export type ToolForm<Tool extends JsonObject> = (definition: FunctionDefinition) => Tool;

/** A tool as it was written for earlier requests of the conversation. */
export interface WrittenTool {
  readonly definition: FunctionDefinition;
  readonly written: JsonObject;
}

/** What is remembered of the tools of a conversation. */
export interface ToolMemory {
  /** For the same repairs, and so in the same form, by the schema that the client sent. */
  readonly earlier: WeakMap<JsonObject, WrittenTool>;
  readonly wellFormed: WeakSet<object>;
}

/**
 * The tools in the provider's words, their schemas in its dialect, with a pause after each that is new; those of earlier requests of the
 * conversation are taken over.
 */
export function* translateTools<Tool extends JsonObject>(
  tools: ReadonlyMap<string, ToolDefinition>,
  toolNames: ToolNames,
  repairs: Repairs,
  { earlier, wellFormed }: ToolMemory,
  form: ToolForm<Tool>,
): Generator<void, Tool[]> {
  const translated: Tool[] = [];
  for (const { name: ownName, description, schema, strict } of tools.values()) {
    const name = toolNames.toProvider(ownName);
    const known = earlier.get(schema);
    if (known !== undefined && isSame(known.definition, name, description, strict)) {
      translated.push(known.written as Tool);
      continue;
    }
    const definition = { name, description, parameters: repairs.toolSchema(schema), strict };
    const written = replaceLoneSurrogatesOnce(form(definition), wellFormed);
    earlier.set(schema, { definition, written });
    translated.push(written);
    yield;
  }
  return translated;
}

function isSame(known: FunctionDefinition, name: string, description: string, strict: boolean | undefined): boolean {
  return known.name === name && known.description === description && known.strict === strict;
}

/** Beginnings of the `type` of tools that Anthropic itself defines or runs: not functions. */
const SERVER_TOOL =
  /^(?:web_search_|web_fetch_|code_execution_|bash_|text_editor_|computer_|memory_|tool_search_|advisor_|mcp_toolset)/;

/** Whether a search is the request's only purpose, as in Claude Code's WebSearch sub-request. */
export function isWebSearchRequest(request: JsonObject): boolean {
  const tools = toolsOf(request);
  return tools.length === 1 && tools.every(isWebSearch);
}

/**
 * Adds the provider's own web search to a request that offers Anthropic's.
 * @param fields the setting that says how
 */
export function addWebSearch(
  body: ChatRequest,
  request: MessagesRequest,
  fields: QuirkSettings['webSearchBody'],
): ChatRequest {
  if (fields === undefined || !toolsOf(request).some(isWebSearch)) return body;
  const tools = [...(body.tools ?? []), ...(Array.isArray(fields['tools']) ? (fields['tools'] as ChatTool[]) : [])];
  return { ...body, ...fields, ...(tools.length > 0 ? { tools } : {}) };
}

/**
 * The search of the web that the Responses API offers, in place of Anthropic's; undefined where none is asked for, or where it cannot be
 * had in the same way: there, addresses can be allowed and not blocked.
 */
export function hostedSearch(request: JsonObject, { webSearch }: QuirkSettings): HostedSearchRequest | undefined {
  const asked = webSearch === 'provider' ? toolsOf(request).find(isWebSearch) : undefined;
  if (asked === undefined || (Array.isArray(asked['blocked_domains']) && asked['blocked_domains'].length > 0)) return;
  const { allowed_domains: listed, user_location: location, max_uses: most } = asked;
  const choice = request['tool_choice'];
  const domains = Array.isArray(listed) ? listed.filter((domain) => typeof domain === 'string') : [];
  const tool: HostedSearchTool = {
    type: 'web_search',
    ...(domains.length > 0 ? { filters: { allowed_domains: domains } } : {}),
    ...(isObject(location) ? { user_location: { type: 'approximate', ...placeOf(location) } } : {}),
  };
  const isForced = isObject(choice) && (choice['type'] === 'any' || choice['name'] === asked['name']);
  return { tool, isForced, ...(typeof most === 'number' ? { most } : {}) };
}

function placeOf(location: JsonObject): Record<string, string> {
  const names = ['city', 'region', 'country', 'timezone'];
  return Object.fromEntries(
    names.flatMap((name) => (asString(location[name]) ? [[name, String(location[name])]] : [])),
  );
}

export interface HostedSearchRequest {
  readonly tool: HostedSearchTool;
  /** Whether the client insists on a search. */
  readonly isForced: boolean;
  /** Most searches. */
  readonly most?: number;
}

function toolsOf(request: JsonObject): JsonObject[] {
  return Array.isArray(request['tools']) ? request['tools'].filter(isObject) : [];
}

function isWebSearch(tool: JsonObject): boolean {
  return asString(tool['type'])?.startsWith('web_search_') ?? false;
}

/** Text that stands for the result of a tool which Anthropic's server ran; undefined for what says nothing here. */
export function describeServerResult(block: ContentBlock): string | undefined {
  if (!block.type.endsWith('_tool_result')) return undefined;
  const content = block['content'];
  if (isObject(content) && typeof content['error_code'] === 'string') {
    return `[${block.type.replace(/_tool_result$/, '')} failed: ${content['error_code']}]`;
  }
  if (!Array.isArray(content)) return undefined;
  const lines = content.filter(isObject).flatMap((entry) => {
    const url = asString(entry['url']);
    return url === undefined ? [] : [`${asString(entry['title']) ?? url}: ${url}`];
  });
  return lines.length > 0 ? lines.join('\n') : undefined;
}
