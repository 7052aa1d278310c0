import { asNumber, asString, type JsonObject } from '../core/json.ts';
import type { MessagesRequest } from '../protocol/anthropic/request.ts';
import type { ChatRequest } from '../protocol/openai/types.ts';
import { selectBreakpoints } from './cacheControl.ts';
import type { Context } from './context.ts';
import { unknownFields } from './fields.ts';
import { translateMessages } from './messages.ts';
import { pairResults } from './pairing.ts';
import { identity, outputLimit, samplers, splitStops } from './parameters.ts';
import { type ReasoningWish, readReasoningWish, reasoningFields } from './reasoning.ts';
import { answerSafeguards } from './safeguards.ts';
import { switchOnSearch } from './serverTools.ts';
import { structuredOutput } from './structuredOutput.ts';
import type { Target } from './target.ts';
import { decideToolChoice } from './toolChoice.ts';
import { assignToolIds } from './toolIds.ts';
import { createToolNames, type ToolNames } from './toolNames.ts';
import { selectTools, translateTools } from './tools.ts';
import { replaceLoneSurrogates } from './wellFormed.ts';

export interface TranslatedRequest {
  readonly body: ChatRequest;
  readonly toolNames: ToolNames;
  /** Short words for the log about what was changed or left out. */
  readonly notes: readonly string[];
  /** The client's name of each offered tool, and its schema as the client wrote it. */
  readonly offeredTools: ReadonlyMap<string, JsonObject>;
  /** Stop strings that the provider does not get: they must be matched in the answer. */
  readonly stopSequences: readonly string[];
  /** The output limit that was sent, in tokens. */
  readonly maxTokens: number | undefined;
  /** Top-level fields that nobody here knows (R107). */
  readonly droppedFields: readonly string[];
  /** The answer to the safety checks that the client asks for, if it does (R108). */
  readonly safeguardResults?: readonly JsonObject[];
}

/**
 * A Messages API request as a chat completions request. The same input gives the same bytes, and a conversation that grows
 * by a turn keeps the bytes of those before it (R104). `inputTokens` is an estimate of the input when there is one already.
 * @throws ApiError `capability_rejected` (R143): the client repeats without the feature.
 */
export function translateRequest(request: MessagesRequest, target: Target, inputTokens?: number): TranslatedRequest {
  const { settings, repairs } = target;
  const context = createContext(request, target);
  const wish = readReasoningWish(request);
  const isStream = request['stream'] === true && settings.upstreamStream;
  const mustNotThink = settings.thinkingNeedsStream && !isStream;
  const choice = decideToolChoice(request, context, wish.mode === 'off' || mustNotThink);
  const tools = choice.withoutTools ? [] : translateTools(context.tools, context.toolNames, repairs, settings);
  const effectiveWish: ReasoningWish = choice.needsThinkingOff || mustNotThink ? { mode: 'off' } : wish;
  const output = structuredOutput(request, target);
  const maxTokens = outputLimit(request, target, inputTokens);
  const stops = splitStops(request, settings, context.notes);
  const body: ChatRequest = {
    model: target.model,
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
  const repaired = repairs.request(replaceLoneSurrogates(switchOnSearch(body, request, settings)));
  const droppedFields = unknownFields(request);
  const safeguardResults = answerSafeguards(request);
  return {
    body: repaired,
    toolNames: context.toolNames,
    notes: [...context.notes, ...droppedFields.map((name) => `field_dropped:${name}`)],
    offeredTools: new Map([...context.tools.values()].map((tool) => [tool.name, tool.schema])),
    stopSequences: stops.local,
    maxTokens: asNumber(repaired[settings.maxTokensField]),
    droppedFields,
    ...(safeguardResults === undefined ? {} : { safeguardResults }),
  };
}

function createContext(request: MessagesRequest, target: Target): Context {
  const { settings } = target;
  const notes = new Set<string>();
  const tools = selectTools(request, settings, notes);
  const pairing = pairResults(request.messages);
  const mentioned = pairing.calls.map((call) => asString(call['name']) ?? '');
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
  };
}
