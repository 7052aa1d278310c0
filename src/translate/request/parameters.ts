import { ApiError } from '../../core/errors.ts';
import { asNumber, asString, isObject, type JsonObject, parseObject } from '../../core/json.ts';
import type { MessagesRequest } from '../../protocol/anthropic/request.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';
import { estimateTokens } from '../tokens.ts';
import type { Context, ResolvedModel } from './context.ts';
import type { ReasoningWish } from './reasoning.ts';
import { shortHash } from './toolNames.ts';

/** What both APIs of OpenAI make their request of, settled before the messages are written. */
export interface RequestParts {
  readonly request: MessagesRequest;
  readonly context: Context;
  readonly isStream: boolean;
  readonly choice: ToolChoice;
  /** By the client's names; empty when none are sent. */
  readonly tools: Context['tools'];
  readonly wish: ReasoningWish;
  readonly output: StructuredOutput | undefined;
  readonly maxTokens: number | undefined;
  readonly stops: StopStrings;
}

/** Tokens left free when the output is fitted into the window: the input is only estimated. */
const WINDOW_MARGIN = 1024;

/**
 * The output limit in tokens: the client's wish within the instance's and the model's limits, the latter winning.
 * `inputTokens` is the estimated input, counted here when it is needed and not given.
 */
export function outputLimit(request: MessagesRequest, target: ResolvedModel, inputTokens?: number): number | undefined {
  const { settings, minTokensLimit = 0, maxTokensLimit = Number.POSITIVE_INFINITY } = target;
  const wanted = asNumber(request['max_tokens']);
  if (wanted === undefined) return undefined;
  const floor = Math.max(minTokensLimit, settings.minOutput, 1);
  const ceiling = Math.min(maxTokensLimit, settings.maxOutput ?? Number.POSITIVE_INFINITY);
  const limit = Math.min(Math.max(Math.floor(wanted), floor), ceiling);
  if (!settings.clampOutput || settings.contextWindow === undefined) return limit;
  const free = settings.contextWindow - (inputTokens ?? estimateTokens(request)) - WINDOW_MARGIN;
  return Math.min(limit, Math.max(free, settings.minOutput, 1));
}

/** temperature, top_p and top_k within what the provider takes. */
export function samplers(request: MessagesRequest, settings: QuirkSettings): JsonObject {
  const temperature = asNumber(request['temperature']);
  const topP = asNumber(request['top_p']);
  const topK = asNumber(request['top_k']);
  const sendTopP = topP !== undefined && !(settings.oneSampler && temperature !== undefined);
  return {
    ...(temperature === undefined
      ? {}
      : { temperature: Math.min(Math.max(temperature, settings.temperatureMin), settings.temperatureMax) }),
    ...(sendTopP ? { top_p: Math.min(Math.max(topP, settings.topPMin), 1) } : {}),
    ...(settings.topK && topK !== undefined ? { top_k: topK } : {}),
  };
}

export interface StopStrings {
  /** For the provider. */
  readonly sent: readonly string[];
  /** To be matched in the answer. */
  readonly local: readonly string[];
}

/** Divides the stop sequences between the provider, as far as it takes them, and the proxy itself. */
export function splitStops(request: MessagesRequest, settings: QuirkSettings, notes: Set<string>): StopStrings {
  const given = Array.isArray(request['stop_sequences']) ? request['stop_sequences'] : [];
  const wanted = new Set(given.filter((stop) => typeof stop === 'string').filter((stop) => stop.trim() !== ''));
  const sent: string[] = [];
  const rest: string[] = [];
  for (const stop of wanted) {
    const tooLong = settings.stopBytes !== undefined && Buffer.byteLength(stop) > settings.stopBytes;
    (tooLong || sent.length >= settings.stopMax ? rest : sent).push(stop);
  }
  if (rest.length > 0 && !settings.localStop) notes.add(`stop_sequences_dropped:${rest.length}`);
  return { sent, local: settings.localStop ? rest : [] };
}

/**
 * Who is asking, as a hash that stays the same for a session; never the id itself, which names the account.
 * @param userField the API's name for who is asking
 */
export function identity(
  request: MessagesRequest,
  settings: QuirkSettings,
  userField: 'user' | 'safety_identifier' = 'user',
): JsonObject {
  const metadata = isObject(request['metadata']) ? request['metadata'] : {};
  const userId = asString(metadata['user_id']);
  if (userId === undefined || userId === '' || !(settings.cacheKey || settings.userField)) return {};
  const hash = shortHash(sessionOf(userId), 32);
  return {
    ...(settings.cacheKey ? { prompt_cache_key: hash } : {}),
    ...(settings.userField ? { [userField]: hash } : {}),
  };
}

/** Claude Code writes JSON with `session_id`; older versions `user_..._session_<uuid>`. */
function sessionOf(userId: string): string {
  return asString(parseObject(userId)?.['session_id']) ?? userId.split('_session_').at(-1) ?? userId;
}

export interface StructuredOutput {
  /** The schema and its name; undefined for JSON of any form. */
  readonly schema?: { readonly name: string; readonly schema: JsonObject };
  /** Text for the system prompt when the server cannot be given the schema otherwise. */
  readonly instruction?: string;
}

/**
 * The answer's JSON schema in the provider's words.
 * @throws ApiError `capability_rejected` when the provider has no structured output: the client then asks without.
 */
export function structuredOutput(request: MessagesRequest, target: ResolvedModel): StructuredOutput | undefined {
  const outputConfig = isObject(request['output_config']) ? request['output_config'] : {};
  const wanted = outputConfig['format'] ?? request['output_format'];
  if (!isObject(wanted) || wanted['type'] !== 'json_schema' || !isObject(wanted['schema'])) return undefined;
  const schema = target.repairs.toolSchema(wanted['schema']);
  switch (target.settings.jsonMode) {
    case 'schema':
      return { schema: { name: asString(wanted['name']) ?? 'answer', schema } };
    case 'object':
      return {
        instruction: `Answer with one JSON object that matches this JSON Schema and with nothing else:\n${JSON.stringify(schema)}`,
      };
    case 'none':
      throw new ApiError('capability_rejected', 'capability_rejected: structured_outputs_unsupported');
  }
}

/** The name of a tool that must be called, or one of the API's words. */
export type ChoiceValue = 'auto' | 'none' | 'required' | { readonly name: string };

/** What becomes of the client's tool_choice, and what it asks of the rest of the request. */
export interface ToolChoice {
  /** Undefined when nothing is sent. */
  readonly value: ChoiceValue | undefined;
  /** The tools are left out, as the server knows no other way not to call them. */
  readonly withoutTools: boolean;
  /** The one tool that is offered, as the server cannot be made to call it in another way. */
  readonly onlyTool?: string;
  /** The server forces a tool only while the model does not reason. */
  readonly needsThinkingOff: boolean;
  /** `parallel_tool_calls: false` is sent. */
  readonly oneAtATime: boolean;
}

const NO_CHOICE: ToolChoice = { value: undefined, withoutTools: false, needsThinkingOff: false, oneAtATime: false };

/** Decides tool_choice and parallel_tool_calls; `thinkingIsOff` says that the client has turned reasoning off. */
export function decideToolChoice(request: MessagesRequest, context: Context, thinkingIsOff: boolean): ToolChoice {
  const { settings, notes, tools } = context;
  const { forcedTools } = settings;
  const choice = isObject(request['tool_choice']) ? request['tool_choice'] : undefined;
  if (tools.size === 0 || choice === undefined) return NO_CHOICE;
  const oneAtATime = choice['disable_parallel_tool_use'] === true && settings.parallelToolCalls;
  const type = asString(choice['type']);
  if (type === 'none') {
    const known = settings.toolChoice === 'full' || settings.toolChoice === 'auto_none';
    return known ? { ...NO_CHOICE, value: 'none' } : { ...NO_CHOICE, withoutTools: true };
  }
  const automatic = settings.toolChoice === 'omit' ? undefined : 'auto';
  const forced = type === 'any' ? 'required' : namedTool(choice['name'], type, context);
  if (forced === undefined) return { ...NO_CHOICE, value: automatic, oneAtATime };
  const allowed =
    forcedTools === 'yes' || forcedTools === 'alone' || (forcedTools === 'no_thinking' && settings.thinkingOff);
  if (settings.toolChoice !== 'full' || !allowed) {
    notes.add('tool_choice_lowered_to_auto');
    return { ...NO_CHOICE, value: automatic, oneAtATime };
  }
  if (forcedTools === 'alone' && typeof forced === 'object') {
    notes.add('forced_tool_offered_alone');
    return { ...NO_CHOICE, value: 'required', onlyTool: String(choice['name']), oneAtATime };
  }
  const needsThinkingOff = forcedTools === 'no_thinking' && !thinkingIsOff;
  if (needsThinkingOff) notes.add('thinking_off_for_forced_tool');
  return { ...NO_CHOICE, value: forced, needsThinkingOff, oneAtATime };
}

function namedTool(name: unknown, type: string | undefined, context: Context): ChoiceValue | undefined {
  if (type !== 'tool' || typeof name !== 'string') return undefined;
  if (context.tools.has(name)) return { name: context.toolNames.toProvider(name) };
  context.notes.add('tool_choice_of_removed_tool');
  return undefined;
}

/** What the user says behind a beginning of the answer, for servers that go on with none by themselves. */
export const CONTINUE = 'Continue from where the last message stops.';
