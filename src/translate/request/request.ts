import { ApiError } from '../../core/errors.ts';
import { asNumber, asString, isObject, type Json, type JsonObject, replaceLoneSurrogates } from '../../core/json.ts';
import type { MessagesRequest } from '../../protocol/anthropic/request.ts';
import type { OpenaiRequest } from '../../protocol/openai/types.ts';
import { ConversationCache } from '../conversationCache.ts';
import { chatBody } from './chat.ts';
import { selectBreakpoints } from './content.ts';
import { type Context, Notes, type ResolvedModel } from './context.ts';
import { decideToolChoice, outputLimit, type RequestParts, splitStops, structuredOutput } from './parameters.ts';
import { readReasoningWish } from './reasoning.ts';
import { NO_REPLAY, type ReasoningReplay } from './reasoningReplay.ts';
import { responsesBody } from './responses.ts';
import { limitTools } from './toolLimit.ts';
import { assignToolIds, createToolNames, pairResults, restoreCallIds, type ToolNames } from './toolNames.ts';
import { selectTools, type ToolDefinition } from './tools.ts';

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
  readonly body: OpenaiRequest;
  readonly toolNames: ToolNames;
  /** Short words for the log about what was changed or left out. */
  readonly notes: readonly string[];
  /** How many tools of the client the model is not offered, because its server takes no more. */
  readonly toolsLeftOut: number;
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

/** What `translateInSteps` gives, without a pause. */
export function translateRequest(...request: Parameters<typeof translateInSteps>): TranslatedRequest {
  const steps = translateInSteps(...request);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/**
 * A Messages API request as one of chat completions or of the Responses API, as the target says. The same input gives the same bytes,
 * and a conversation that grows by a turn keeps the bytes of those before it. It pauses often, as a history of ten thousand calls takes
 * a tenth of a second.
 * @param inputTokens an estimate of the input when there is one already
 * @param cache of the conversation; without it nothing is taken over from earlier requests
 * @param replay which reasoning of the conversation may go back to the provider
 * @throws ApiError `capability_rejected`: the client repeats without the feature.
 */
export function* translateInSteps(
  request: MessagesRequest,
  target: ResolvedModel,
  inputTokens?: number,
  cache = new ConversationCache(),
  replay: ReasoningReplay = NO_REPLAY,
): Generator<void, TranslatedRequest> {
  if (isObject(request['thread'])) throw unknownThread();
  const { settings, repairs } = target;
  const context = yield* createContext(request, target, cache, replay);
  const wish = readReasoningWish(request);
  const isStream = request['stream'] === true && settings.upstreamStream;
  const mustNotThink = settings.thinkingNeedsStream && !isStream;
  const choice = decideToolChoice(request, context, wish.mode === 'off' || mustNotThink);
  const only = choice.onlyTool === undefined ? undefined : context.tools.get(choice.onlyTool);
  const offered: Context['tools'] = only === undefined ? context.tools : new Map([[only.name, only]]);
  const parts: RequestParts = {
    request,
    context,
    isStream,
    choice,
    tools: choice.withoutTools ? new Map() : offered,
    wish: choice.needsThinkingOff || mustNotThink ? { mode: 'off' } : wish,
    output: structuredOutput(request, target),
    maxTokens: outputLimit(request, target, inputTokens),
    stops: splitStops(request, settings, context.notes),
  };
  const body: OpenaiRequest = target.protocol === 'responses' ? yield* responsesBody(parts) : yield* chatBody(parts);
  const repaired = repairs.request(replaceLoneSurrogates(body, cache.wellFormed));
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
    toolsLeftOut: context.toolsLeftOut,
    offeredTools: context.tools,
    stopSequences: parts.stops.local,
    maxTokens: asNumber(repaired[target.protocol === 'responses' ? 'max_output_tokens' : settings.maxTokensField]),
    droppedFields,
    ...(safeguardResults === undefined ? {} : { safeguardResults }),
  };
}

/**
 * The client may send only what is new of a conversation that Anthropic has stored (`thread`); nobody here has stored it. Upon this error
 * Anthropic's SDK sends whole conversations.
 */
function unknownThread(): ApiError {
  return new ApiError('invalid_request', 'thread: this provider stores no conversations, send the whole of it', {
    anthropicCode: 'thread_unsupported_request',
  });
}

function* createContext(
  request: MessagesRequest,
  target: ResolvedModel,
  cache: ConversationCache,
  replay: ReasoningReplay,
): Generator<void, Context> {
  const { settings } = target;
  const notes = new Notes();
  const pairing = pairResults(request.messages);
  yield;
  const mentioned = pairing.calls.map((call) => asString(call['name']) ?? '');
  const selected = selectTools(request, settings, notes);
  const tools = limitTools(selected, request, settings, cache.words, notes);
  yield;
  const toolNames = createToolNames(tools.keys(), mentioned, settings.toolNameMax);
  yield;
  const toolIds =
    target.protocol === 'responses'
      ? restoreCallIds(pairing.calls, target.provider)
      : assignToolIds(pairing.calls, settings.toolId, toolNames);
  yield;
  return {
    target,
    settings,
    tools,
    toolsLeftOut: selected.size - tools.size,
    toolNames,
    pairing,
    toolIds,
    breakpoints: settings.cacheControl ? selectBreakpoints(request) : new Set(),
    notes,
    cache,
    replay,
    refusals: replay.refused.count,
  };
}
