import type { ApiError } from '../core/errors.ts';
import type { ChatRequest } from '../protocol/openai/types.ts';
import type { QuirkSettings } from '../quirks/settings.ts';

/** A change of settings that makes a refused request acceptable, and how the user writes it down for good. */
export interface Healing {
  readonly settings: Partial<QuirkSettings>;
  /** The line for the env file. */
  readonly advice: string;
}

/** Fields that a request can do without; messages and tools are never among them (R413). */
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

function healMissingReasoning(text: string): Healing | undefined {
  if (!/reasoning_content\b.*(?:missing|passed back|required)/is.test(text)) return undefined;
  return {
    settings: { reasoningReplay: 'reasoning_content', reasoningRequired: 'empty' },
    advice: 'QUIRK_REASONING_REPLAY=reasoning_content and QUIRK_REASONING_REQUIRED=empty',
  };
}

function healOutputLimitName(text: string, body: ChatRequest): Healing | undefined {
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

function healRefusedField(text: string, body: ChatRequest, current: QuirkSettings): Healing | undefined {
  const field = REFUSAL.test(text)
    ? OPTIONAL_FIELDS.find((name) => body[name] !== undefined && mentions(text, name))
    : undefined;
  if (field === undefined) return undefined;
  const dropParams = [...current.dropParams, field];
  return { settings: { dropParams }, advice: `QUIRK_DROP_PARAMS=${dropParams.join(',')}` };
}

/**
 * Reads a provider's refusal of one dispensable part of a request (R413, R134): what to change so that the same request can
 * be sent again at once, or undefined when the refusal is about something else.
 */
export function healingFor(error: ApiError, body: ChatRequest, current: QuirkSettings): Healing | undefined {
  if (error.code !== 'upstream_invalid_request' && error.code !== 'capability_rejected') return undefined;
  const text = typeof error.cause === 'string' ? error.cause : error.message;
  return healMissingReasoning(text) ?? healOutputLimitName(text, body) ?? healRefusedField(text, body, current);
}
