import { asNumber, asString, isObject, type JsonObject, parseObject } from '../core/json.ts';
import type { MessagesRequest } from '../protocol/anthropic/request.ts';
import type { QuirkSettings } from '../quirks/settings.ts';
import { estimateTokens } from './countTokens.ts';
import { shortHash } from './hash.ts';
import type { Target } from './target.ts';

/** Tokens left free when the output is fitted into the window: the input is only estimated. */
const WINDOW_MARGIN = 1024;

/**
 * The output limit in tokens (R140): the client's wish within the instance's and the model's limits, the latter winning.
 * `inputTokens` is the estimated input, counted here when it is needed and not given.
 */
export function outputLimit(request: MessagesRequest, target: Target, inputTokens?: number): number | undefined {
  const { settings, minTokensLimit = 0, maxTokensLimit = Number.POSITIVE_INFINITY } = target;
  const wanted = asNumber(request['max_tokens']);
  if (wanted === undefined) return undefined;
  const floor = Math.max(minTokensLimit, settings.minOutput, 1);
  const ceiling = Math.min(maxTokensLimit, settings.maxOutput ?? Number.POSITIVE_INFINITY);
  const limit = Math.min(Math.max(Math.floor(wanted), floor), ceiling);
  if (!settings.clampOutput || settings.contextWindow === undefined) return limit;
  const room = settings.contextWindow - (inputTokens ?? estimateTokens(request)) - WINDOW_MARGIN;
  return Math.min(limit, Math.max(room, settings.minOutput, 1));
}

/** temperature, top_p and top_k within what the provider takes (R142, R107). */
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

/** Divides the stop sequences between the provider, as far as it takes them, and the proxy itself (R144). */
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

/** Who is asking, as a hash that stays the same for a session; never the id itself, which names the account (R146). */
export function identity(request: MessagesRequest, settings: QuirkSettings): JsonObject {
  const metadata = isObject(request['metadata']) ? request['metadata'] : {};
  const userId = asString(metadata['user_id']);
  if (userId === undefined || userId === '' || !(settings.cacheKey || settings.userField)) return {};
  const hash = shortHash(sessionOf(userId), 32);
  return {
    ...(settings.cacheKey ? { prompt_cache_key: hash } : {}),
    ...(settings.userField ? { user: hash } : {}),
  };
}

/** Claude Code writes JSON with `session_id`; older versions `user_..._session_<uuid>`. */
function sessionOf(userId: string): string {
  return asString(parseObject(userId)?.['session_id']) ?? userId.split('_session_').at(-1) ?? userId;
}
