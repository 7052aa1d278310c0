import type { ApiError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errorTable.ts';
import { isObject, type JsonObject } from '../../core/json.ts';
import type { ChatRequest, OpenaiRequest, ResponsesRequest } from '../../protocol/openai/types.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';
import { readEfforts, readOutputLimit, readToolLimit } from '../../upstream/errorDetails.ts';

/** A change of settings that makes a refused request acceptable, and how the user writes it down for good. */
export interface RequestAdaptation {
  readonly settings: Partial<QuirkSettings>;
  /** The line for the env file. */
  readonly advice: string;
}

/** Refusals of a part that the request may be able to do without. */
const ADAPTABLE: ReadonlySet<ErrorCode> = new Set([
  'upstream_invalid_request',
  'capability_rejected',
  'effort_refused',
  'max_tokens_overflow',
]);

/** Fields that a request can do without; messages and tools are never among them. */
const OPTIONAL_FIELDS = [
  'temperature',
  'top_p',
  'top_k',
  'stop',
  'parallel_tool_calls',
  'stream_options',
  'reasoning_effort',
  'effort',
  'thinking_budget',
  'enable_thinking',
  'thinking',
  'reasoning_split',
  'reasoning',
  'tool_stream',
  'prompt_cache_key',
  'user',
  // Of the Responses API. What lies within another goes alone, before that.
  'prompt_cache_options',
  'safety_identifier',
  'service_tier',
  'include',
  'max_tool_calls',
  'store',
];
const NESTED_FIELDS = [
  'reasoning.summary',
  'reasoning.context',
  'text.verbosity',
  'stream_options.include_obfuscation',
];

const REFUSAL =
  /unsupported|not support|unknown|unrecogni[sz]ed|unexpected|not permitted|not allowed|cannot find field|invalid parameter|incompatible|deprecated/i;

function mentions(text: string, field: string): boolean {
  return new RegExp(`(?<![\\w.-])${field}(?![\\w-])`, 'i').test(text);
}

function replayMissingReasoning(text: string): RequestAdaptation | undefined {
  const at = text.search(/reasoning_content\b/i);
  if (at < 0 || !/missing|passed back|required/i.test(text.slice(at))) return undefined;
  return {
    settings: { reasoningReplay: 'reasoning_content', reasoningRequired: 'empty' },
    advice: 'QUIRK_REASONING_REPLAY=reasoning_content and QUIRK_REASONING_REQUIRED=empty',
  };
}

function renameOutputLimit(text: string, body: OpenaiRequest): RequestAdaptation | undefined {
  for (const [sent, wanted] of [
    ['max_tokens', 'max_completion_tokens'],
    ['max_completion_tokens', 'max_tokens'],
  ] as const) {
    if (body[sent] !== undefined && mentions(text, sent) && REFUSAL.test(text)) {
      return { settings: { maxTokensField: wanted }, advice: `QUIRK_MAX_TOKENS_FIELD=${wanted}` };
    }
  }
  return undefined;
}

/** Models of some organisations may not be streamed, and some neither stream nor summarise before the organisation is verified. */
const NOT_STREAMED = /must be verified to stream/i;

/** A refusal whose words are about streaming itself, which goes on without. */
function stopStreaming(text: string, { upstreamStream }: QuirkSettings): RequestAdaptation | undefined {
  if (!upstreamStream || !NOT_STREAMED.test(text)) return undefined;
  return { settings: { upstreamStream: false }, advice: 'QUIRK_UPSTREAM_STREAM=false' };
}

/** The model cannot reason at all. */
function stopReasoning({ code, param }: ApiError, body: OpenaiRequest): RequestAdaptation | undefined {
  if (code !== 'effort_refused' || param !== 'reasoning.effort' || !hasField(body, param)) return undefined;
  return { settings: { reasoningStyle: 'none' }, advice: 'QUIRK_REASONING_STYLE=none' };
}

/** The text of an earlier answer must not say which part of its turn it is. */
function dropPhase({ param }: ApiError, { phase }: QuirkSettings): RequestAdaptation | undefined {
  if (!phase || param === undefined || !/^input\[\d+\]\.phase$/.test(param)) return undefined;
  return { settings: { phase: false }, advice: 'QUIRK_PHASE=false' };
}

/** The model takes the efforts that its refusal lists, and no others. */
function chooseListedEffort({ code }: ApiError, text: string, current: QuirkSettings): RequestAdaptation | undefined {
  const efforts = code === 'effort_refused' ? readEfforts(text) : [];
  if (efforts.length === 0 || efforts.join() === current.efforts.join()) return undefined;
  return { settings: { efforts }, advice: `QUIRK_EFFORTS=${efforts.join(',')}` };
}

/** The model writes less than the request asks for. */
function lowerOutputLimit(text: string, { maxOutput }: QuirkSettings): RequestAdaptation | undefined {
  const most = readOutputLimit(text)?.most;
  if (most === undefined || most < 1 || most >= (maxOutput ?? Number.POSITIVE_INFINITY)) return undefined;
  return { settings: { maxOutput: most }, advice: `QUIRK_MAX_OUTPUT=${most}` };
}

/** The server takes fewer tools than the request has. */
function limitTools(text: string, body: OpenaiRequest): RequestAdaptation | undefined {
  const most = readToolLimit(text);
  const { tools } = body;
  if (most === undefined || most < 1 || !Array.isArray(tools) || tools.length <= most) return undefined;
  return { settings: { toolsMax: most }, advice: `QUIRK_TOOLS_MAX=${most}` };
}

const IMAGE_REFUSED = 'capability_rejected: image_block';

/** A line of text stands for each image from now on, so that the conversation with the image in it can go on. */
function describeImages(body: OpenaiRequest, { vision }: QuirkSettings): RequestAdaptation | undefined {
  return vision && hasImage(body) ? { settings: { vision: false }, advice: 'QUIRK_VISION=false' } : undefined;
}

function hasImage(body: OpenaiRequest): boolean {
  const entries: readonly JsonObject[] =
    'input' in body ? (body as ResponsesRequest).input : (body as ChatRequest).messages;
  return entries.some(({ content, output }) =>
    [content, output].some(
      (parts) => Array.isArray(parts) && parts.some((part) => isObject(part) && isImage(part['type'])),
    ),
  );
}

function isImage(type: unknown): boolean {
  return type === 'image_url' || type === 'input_image';
}

/** Whether a request has a field, `reasoning.summary` as well. */
function hasField(body: OpenaiRequest, name: string): boolean {
  const [outer = '', inner] = name.split('.');
  const value = body[outer];
  return inner === undefined ? value !== undefined : isObject(value) && value[inner] !== undefined;
}

/** What the provider names as the part it refuses goes before what its words mention. */
function dropRejectedField(
  text: string,
  { param }: ApiError,
  body: OpenaiRequest,
  current: QuirkSettings,
): RequestAdaptation | undefined {
  const sent = [...NESTED_FIELDS, ...OPTIONAL_FIELDS].filter((name) => hasField(body, name));
  const named = 'input' in body ? sent.find((name) => name === param) : undefined;
  const field = named ?? (REFUSAL.test(text) ? sent.find((name) => mentions(text, name)) : undefined);
  if (field === undefined) return undefined;
  const dropParams = [...current.dropParams, field];
  return { settings: { dropParams }, advice: `QUIRK_DROP_PARAMS=${dropParams.join(',')}` };
}

/**
 * Reads a provider's refusal of one dispensable part of a request: what to change so that the same request can
 * be sent again at once, or undefined when the refusal is about something else.
 */
export function adaptationFor(
  error: ApiError,
  body: OpenaiRequest,
  current: QuirkSettings,
): RequestAdaptation | undefined {
  if (!ADAPTABLE.has(error.code)) return undefined;
  const text = typeof error.cause === 'string' ? error.cause : error.message;
  if (error.code === 'max_tokens_overflow') return lowerOutputLimit(text, current);
  if (error.message === IMAGE_REFUSED) return describeImages(body, current);
  return (
    limitTools(text, body) ??
    stopStreaming(text, current) ??
    replayMissingReasoning(text) ??
    renameOutputLimit(text, body) ??
    chooseListedEffort(error, text, current) ??
    stopReasoning(error, body) ??
    dropPhase(error, current) ??
    dropRejectedField(text, error, body, current)
  );
}
