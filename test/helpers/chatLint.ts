import { isObject } from '../../src/core/json.ts';
import { lintMessages } from './chatLintMessages.ts';
import type { ReceivedRequest } from './fakeUpstream.ts';

/** Everything a chat completions API or one of the known providers takes; Anthropic's own fields are not among them. */
const FIELDS = new Set([
  ...['model', 'messages', 'tools', 'tool_choice', 'parallel_tool_calls', 'stream', 'stream_options'],
  ...['max_tokens', 'max_completion_tokens', 'temperature', 'top_p', 'top_k', 'stop', 'response_format'],
  ...['reasoning_effort', 'reasoning', 'effort', 'thinking', 'enable_thinking', 'thinking_budget'],
  ...['prompt_cache_key', 'user', 'tool_stream', 'reasoning_split'],
]);
const TOOL_FIELDS = new Set(['name', 'description', 'parameters', 'strict']);
const TOOL_NAME = /^[A-Za-z0-9_-]{1,64}$/;
const FOREIGN_HEADER = /^(?:anthropic-|x-stainless-|x-app$|x-api-key$|x-claude-code-|cookie$)/;

/** What the pickiest provider would refuse in a request; empty when it is sound. */
export function lintRequest({ body, headers }: Pick<ReceivedRequest, 'body' | 'headers'>): string[] {
  return [...lintHeaders(headers), ...lintFields(body), ...lintTools(body), ...lintMessages(body.messages)];
}

/** Headers that no provider should see. */
export function lintHeaders(headers: ReceivedRequest['headers']): string[] {
  return Object.keys(headers)
    .filter((name) => FOREIGN_HEADER.test(name))
    .map((name) => `header ${name} belongs to the client`);
}

function lintFields(body: ReceivedRequest['body']): string[] {
  const problems = Object.keys(body)
    .filter((name) => !FIELDS.has(name))
    .map((name) => `unknown field ${name}`);
  if (typeof body.model !== 'string' || body.model === '') problems.push('no model');
  const limits = [body['max_tokens'], body['max_completion_tokens']].filter((limit) => limit !== undefined);
  if (limits.length > 1) problems.push('both max_tokens and max_completion_tokens');
  for (const limit of limits) if (!Number.isInteger(limit) || Number(limit) < 1) problems.push(`output limit ${limit}`);
  if (body['stream_options'] !== undefined && body['stream'] !== true) problems.push('stream_options without stream');
  const { stop } = body;
  if (stop !== undefined && (!Array.isArray(stop) || stop.length === 0 || stop.some((text) => text.trim() === ''))) {
    problems.push(`stop ${JSON.stringify(stop)}`);
  }
  const text = JSON.stringify(body);
  if (!text.isWellFormed() || /\\ud[89a-f]/i.test(text)) problems.push('half a surrogate pair');
  return problems;
}

function lintTools(body: ReceivedRequest['body']): string[] {
  const { tools, tool_choice: choice } = body;
  if (tools === undefined) {
    return ['tool_choice', 'parallel_tool_calls'].filter((name) => name in body).map((name) => `${name} without tools`);
  }
  if (!Array.isArray(tools) || tools.length === 0) return ['tools is empty'];
  const names = tools.map((tool) => String(tool.function?.name));
  const problems = tools.flatMap(lintTool);
  if (new Set(names).size < names.length) problems.push('two tools of one name');
  if (isObject(choice) && !names.includes(String(Object(choice['function']).name)))
    problems.push('chosen tool is absent');
  if (typeof choice === 'string' && !['auto', 'none', 'required'].includes(choice)) {
    problems.push(`tool_choice ${choice}`);
  }
  return problems;
}

function lintTool(tool: unknown): string[] {
  if (!isObject(tool) || !isObject(tool['function'])) return [`tool ${JSON.stringify(tool)}`];
  const { name, parameters } = tool['function'];
  const strange = [
    ...Object.keys(tool).filter((field) => field !== 'type' && field !== 'function'),
    ...Object.keys(tool['function']).filter((field) => !TOOL_FIELDS.has(field)),
  ];
  const problems = strange.map((field) => `tool ${name}: field ${field}`);
  if (tool['type'] !== 'function') problems.push(`tool ${name}: type ${tool['type']}`);
  if (!TOOL_NAME.test(String(name))) problems.push(`tool name ${name}`);
  if (!isObject(parameters) || parameters['type'] !== 'object' || !isObject(parameters['properties'])) {
    problems.push(`tool ${name}: parameters are no object schema`);
  }
  return problems;
}
