import type { ApiError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errorTable.ts';
import { isObject } from '../../core/json.ts';
import type { ChatRequest } from '../../protocol/openai/types.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';
import { readEfforts, readOutputLimit } from '../../upstream/errorDetails.ts';

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

function renameOutputLimit(text: string, body: ChatRequest): RequestAdaptation | undefined {
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

const IMAGE_REFUSED = 'capability_rejected: image_block';

/** A line of text stands for each image from now on, so that the conversation with the image in it can go on. */
function describeImages({ messages }: ChatRequest, { vision }: QuirkSettings): RequestAdaptation | undefined {
  const isImage = (part: unknown) => isObject(part) && part['type'] === 'image_url';
  const hasImage = messages.some(({ content }) => Array.isArray(content) && content.some(isImage));
  return vision && hasImage ? { settings: { vision: false }, advice: 'QUIRK_VISION=false' } : undefined;
}

function dropRejectedField(text: string, body: ChatRequest, current: QuirkSettings): RequestAdaptation | undefined {
  const field = REFUSAL.test(text)
    ? OPTIONAL_FIELDS.find((name) => body[name] !== undefined && mentions(text, name))
    : undefined;
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
  body: ChatRequest,
  current: QuirkSettings,
): RequestAdaptation | undefined {
  if (!ADAPTABLE.has(error.code)) return undefined;
  const text = typeof error.cause === 'string' ? error.cause : error.message;
  if (error.code === 'max_tokens_overflow') return lowerOutputLimit(text, current);
  if (error.message === IMAGE_REFUSED) return describeImages(body, current);
  return (
    replayMissingReasoning(text) ??
    renameOutputLimit(text, body) ??
    chooseListedEffort(error, text, current) ??
    dropRejectedField(text, body, current)
  );
}
