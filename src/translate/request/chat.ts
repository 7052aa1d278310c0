import type { JsonObject } from '../../core/json.ts';
import type { MessagesRequest } from '../../protocol/anthropic/request.ts';
import type { ChatMessage, ChatRequest, ChatTool } from '../../protocol/openai/types.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';
import { translateAssistant } from './assistant.ts';
import type { Context } from './context.ts';
import { type ConversationForm, joinTexts } from './conversation.ts';
import { countLeadingSystem, isSystem, systemPrompt, translateTurns } from './messages.ts';
import {
  type ChoiceValue,
  CONTINUE,
  identity,
  type RequestParts,
  type StructuredOutput,
  samplers,
} from './parameters.ts';
import { reasoningFields } from './reasoning.ts';
import { addWebSearch, type ToolForm, translateTools } from './tools.ts';

/** The request of chat completions, its fields in a fixed order. */
export function* chatBody(parts: RequestParts): Generator<void, ChatRequest> {
  const { request, context, isStream, choice, wish, output, maxTokens, stops } = parts;
  const { settings, target } = context;
  const tools = yield* translateTools(
    parts.tools,
    context.toolNames,
    target.repairs,
    context.cache.toolsFor(target.repairs),
    toolForm(settings),
  );
  const body: ChatRequest = {
    model: target.name,
    messages: yield* translateMessages(request, context, output?.instruction),
    ...(tools.length > 0 ? { tools } : {}),
    ...(choice.value === undefined ? {} : { tool_choice: toolChoice(choice.value) }),
    ...(choice.oneAtATime ? { parallel_tool_calls: false } : {}),
    ...(isStream ? { stream: true } : {}),
    ...(isStream && settings.streamUsage ? { stream_options: { include_usage: true } } : {}),
    ...(maxTokens === undefined ? {} : { [settings.maxTokensField]: maxTokens }),
    ...samplers(request, settings),
    ...(stops.sent.length > 0 ? { stop: [...stops.sent] } : {}),
    ...(output === undefined ? {} : { response_format: responseFormat(output) }),
    ...reasoningFields(wish, tools.length > 0, settings),
    ...identity(request, settings),
  };
  return settings.webSearch === 'native' ? addWebSearch(body, request, settings.webSearchBody) : body;
}

function toolForm({ strictTools }: QuirkSettings): ToolForm<ChatTool> {
  return ({ name, description, parameters, strict }) => ({
    type: 'function',
    function: { name, description, parameters, ...(strictTools && strict !== undefined ? { strict } : {}) },
  });
}

function toolChoice(value: ChoiceValue): JsonObject[string] {
  return typeof value === 'string' ? value : { type: 'function', function: { name: value.name } };
}

function responseFormat({ schema }: StructuredOutput): JsonObject {
  return schema === undefined ? { type: 'json_object' } : { type: 'json_schema', json_schema: { ...schema } };
}

/** The whole conversation as messages; `instruction` is appended to the system prompt. */
function* translateMessages(
  request: MessagesRequest,
  context: Context,
  instruction: string | undefined,
): Generator<void, ChatMessage[]> {
  const { settings } = context;
  const { messages } = request;
  const leading =
    settings.inlineSystem === 'fold' || settings.inlineSystem === 'hoist' ? countLeadingSystem(messages) : 0;
  const joined = settings.inlineSystem === 'hoist' ? messages.filter(isSystem) : messages.slice(0, leading);
  const system = systemPrompt(request, joined, instruction, context);
  const written = yield* translateTurns(messages, leading, context, chatForm(settings));
  const head: ChatMessage[] =
    system.length === 0 ? [] : [{ role: settings.systemRole, content: joinTexts(system, '\n\n') }];
  return closeChatPrefill([...head, ...written], settings);
}

function chatForm({ content, toolResultName }: QuirkSettings): ConversationForm<ChatMessage> {
  return {
    answer: translateAssistant,
    user: (parts) => ({
      role: 'user',
      content: parts.length === 1 || content === 'string' ? joinTexts(parts, '\n') : parts,
    }),
    result: ({ id, name }, parts) => ({
      role: 'tool',
      tool_call_id: id,
      ...(toolResultName ? { name } : {}),
      content: joinTexts(parts, '\n\n'),
    }),
    system: (role, text) => ({ role, content: text }),
    joinsUsers: true,
  };
}

/** Treats a conversation that ends with the assistant as the provider wants it. */
function closeChatPrefill(messages: ChatMessage[], settings: QuirkSettings): ChatMessage[] {
  const last = messages.at(-1);
  if (last?.role !== 'assistant' || typeof last.content !== 'string') return messages;
  const content = last.content.trimEnd();
  const before = messages.slice(0, -1);
  if (content === '') return before;
  const trimmed: ChatMessage = { ...last, content };
  switch (settings.prefill) {
    case 'pass':
      return [...before, trimmed];
    case 'user':
      return [...before, trimmed, { role: 'user', content: CONTINUE }];
    default:
      return [...before, { ...trimmed, [settings.prefill]: true }];
  }
}
