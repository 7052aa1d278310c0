import { ApiError } from '../../core/errors.ts';
import { asNumber, asString, isObject, type Json, type JsonObject, replaceLoneSurrogates } from '../../core/json.ts';
import type { MessagesRequest } from '../../protocol/anthropic/request.ts';
import type { ChatRequest } from '../../protocol/openai/types.ts';
import { ConversationCache } from '../conversationCache.ts';
import { selectBreakpoints } from './content.ts';
import { type Context, Notes, type ResolvedModel } from './context.ts';
import { translateMessages } from './messages.ts';
import { decideToolChoice, identity, outputLimit, samplers, splitStops, structuredOutput } from './parameters.ts';
import { type ReasoningWish, readReasoningWish, reasoningFields } from './reasoning.ts';
import { assignToolIds, createToolNames, pairResults, type ToolNames } from './toolNames.ts';
import { addWebSearch, limitTools, selectTools, type ToolDefinition, translateTools } from './tools.ts';

/** Every top-level field whose fate is decided: mapped, or dropped on purpose. */
const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'system',
  'tools',
  'tool_choice',
  'max_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'stream',
  'thinking',
  'output_config',
  'output_format',
  'metadata',
  'cache_control',
  'context_management',
  'container',
  'mcp_servers',
  'service_tier',
  'speed',
  'inference_geo',
  'fallbacks',
  'fallback_credit_token',
  'diagnostics',
  'betas',
  'user_profile_id',
  'tags',
  'safeguards',
  'thread',
]);

/**
 * What is answered to the safety checks that auto mode asks of its server: nobody here judges tool calls. The client
 * then judges by itself or asks its user; an answer that was made up would be obeyed. Undefined when none is asked for.
 * Decision 0011 has what the client makes of each possible answer.
 */
export function answerSafeguards(request: MessagesRequest): readonly JsonObject[] | undefined {
  const asked: Json | undefined = request['safeguards'];
  if (!Array.isArray(asked)) return undefined;
  return asked.filter(isObject).map((safeguard) => ({ type: safeguard['type'], status: { type: 'unsupported' } }));
}

export interface TranslatedRequest {
  readonly body: ChatRequest;
  readonly toolNames: ToolNames;
  /** Short words for the log about what was changed or left out. */
  readonly notes: readonly string[];
  /** By the client's names. */
  readonly offeredTools: ReadonlyMap<string, ToolDefinition>;
  /** Stop strings that the provider does not get: they must be matched in the answer. */
  readonly stopSequences: readonly string[];
  /** The output limit that was sent, in tokens. */
  readonly maxTokens: number | undefined;
  /** Top-level fields that nobody here knows. */
  readonly droppedFields: readonly string[];
  /** The answer to the safety checks that the client asks for, if it does. */
  readonly safeguardResults?: readonly JsonObject[];
}

/**
 * A Messages API request as a chat completions request. The same input gives the same bytes, and a conversation that grows
 * by a turn keeps the bytes of those before it.
 * @param inputTokens an estimate of the input when there is one already
 * @param cache of the conversation; without it nothing is taken over from earlier requests
 * @throws ApiError `capability_rejected`: the client repeats without the feature.
 */
export function translateRequest(
  request: MessagesRequest,
  target: ResolvedModel,
  inputTokens?: number,
  cache = new ConversationCache(),
): TranslatedRequest {
  refuseThread(request);
  const { settings, repairs } = target;
  const context = createContext(request, target, cache);
  const wish = readReasoningWish(request);
  const isStream = request['stream'] === true && settings.upstreamStream;
  const mustNotThink = settings.thinkingNeedsStream && !isStream;
  const choice = decideToolChoice(request, context, wish.mode === 'off' || mustNotThink);
  const only = choice.onlyTool === undefined ? undefined : context.tools.get(choice.onlyTool);
  const tools = choice.withoutTools
    ? []
    : translateTools(
        only === undefined ? context.tools : new Map([[only.name, only]]),
        context.toolNames,
        repairs,
        settings,
        cache.toolsFor(repairs),
        cache.wellFormed,
      );
  const effectiveWish: ReasoningWish = choice.needsThinkingOff || mustNotThink ? { mode: 'off' } : wish;
  const output = structuredOutput(request, target);
  const maxTokens = outputLimit(request, target, inputTokens);
  const stops = splitStops(request, settings, context.notes);
  const body: ChatRequest = {
    model: target.name,
    messages: translateMessages(request, context, output?.instruction),
    ...(tools.length > 0 ? { tools } : {}),
    ...(choice.value === undefined ? {} : { tool_choice: choice.value }),
    ...(choice.oneAtATime ? { parallel_tool_calls: false } : {}),
    ...(isStream ? { stream: true } : {}),
    ...(isStream && settings.streamUsage ? { stream_options: { include_usage: true } } : {}),
    ...(maxTokens === undefined ? {} : { [settings.maxTokensField]: maxTokens }),
    ...samplers(request, settings),
    ...(stops.sent.length > 0 ? { stop: [...stops.sent] } : {}),
    ...(output === undefined ? {} : { response_format: output.format }),
    ...reasoningFields(effectiveWish, tools.length > 0, settings),
    ...identity(request, settings),
  };
  const repaired = repairs.request(replaceLoneSurrogates(addWebSearch(body, request, settings), cache.wellFormed));
  const droppedFields: string[] = [];
  for (const name of Object.keys(request)) {
    if (KNOWN_FIELDS.has(name)) continue;
    droppedFields.push(name);
    context.notes.add(`field_dropped:${name}`);
  }
  const safeguardResults = answerSafeguards(request);
  return {
    body: repaired,
    toolNames: context.toolNames,
    notes: [...context.notes],
    offeredTools: context.tools,
    stopSequences: stops.local,
    maxTokens: asNumber(repaired[settings.maxTokensField]),
    droppedFields,
    ...(safeguardResults === undefined ? {} : { safeguardResults }),
  };
}

/**
 * The client may send only what is new of a conversation that Anthropic has stored (`thread`); nobody here has stored it.
 * @throws ApiError, upon which Anthropic's SDK sends whole conversations
 */
function refuseThread(request: MessagesRequest): void {
  if (!isObject(request['thread'])) return;
  throw new ApiError('invalid_request', 'thread: this provider stores no conversations, send the whole of it', {
    anthropicCode: 'thread_unsupported_request',
  });
}

function createContext(request: MessagesRequest, target: ResolvedModel, cache: ConversationCache): Context {
  const { settings } = target;
  const notes = new Notes();
  const pairing = pairResults(request.messages);
  const mentioned = pairing.calls.map((call) => asString(call['name']) ?? '');
  const tools = limitTools(selectTools(request, settings, notes), request, mentioned, settings, notes);
  const toolNames = createToolNames(tools.keys(), mentioned, settings.toolNameMax);
  return {
    target,
    settings,
    tools,
    toolNames,
    pairing,
    toolIds: assignToolIds(pairing.calls, settings.toolId, toolNames),
    breakpoints: settings.cacheControl ? selectBreakpoints(request) : new Set(),
    notes,
    cache,
  };
}
