import { asString, isObject, type JsonObject } from '../core/json.ts';
import type { ContentBlock, MessagesRequest } from '../protocol/anthropic/request.ts';
import type { ChatRequest, ChatTool } from '../protocol/openai/types.ts';
import type { QuirkSettings } from '../quirks/settings.ts';

/** Beginnings of the `type` of tools that Anthropic itself defines or runs: not functions (R150). */
const SERVER_TOOL_TYPES = [
  'web_search_',
  'web_fetch_',
  'code_execution_',
  'bash_',
  'text_editor_',
  'computer_',
  'memory_',
  'tool_search_',
  'advisor_',
  'mcp_toolset',
];

export function isServerTool(tool: JsonObject): boolean {
  const type = asString(tool['type']) ?? '';
  return SERVER_TOOL_TYPES.some((prefix) => type.startsWith(prefix));
}

/** Whether a search is the request's only purpose, as in Claude Code's WebSearch sub-request (R150). */
export function isWebSearchRequest(request: JsonObject): boolean {
  const tools = toolsOf(request);
  return tools.length === 1 && tools.every(isWebSearch);
}

/** Adds the provider's own web search to a request that offers Anthropic's, where settings say how (R150). */
export function switchOnSearch(body: ChatRequest, request: MessagesRequest, settings: QuirkSettings): ChatRequest {
  const fields = settings.webSearchBody;
  if (settings.webSearch !== 'native' || fields === undefined || !toolsOf(request).some(isWebSearch)) return body;
  const tools = [...(body.tools ?? []), ...(Array.isArray(fields['tools']) ? (fields['tools'] as ChatTool[]) : [])];
  return { ...body, ...fields, ...(tools.length > 0 ? { tools } : {}) };
}

function toolsOf(request: JsonObject): JsonObject[] {
  return Array.isArray(request['tools']) ? request['tools'].filter(isObject) : [];
}

function isWebSearch(tool: JsonObject): boolean {
  return asString(tool['type'])?.startsWith('web_search_') ?? false;
}

/** Text that stands for the result of a tool which Anthropic's server ran (R151); undefined for what says nothing here. */
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
