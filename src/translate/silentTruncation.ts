import { ApiError } from '../core/errors.ts';
import type { QuirkSettings } from '../quirks/settings.ts';

/**
 * Servers that cut a prompt which is too long for them, and say nothing: the answer then knows neither the system prompt nor the
 * beginning of the conversation, and the usage is that of what was left.
 */
type Settings = Pick<QuirkSettings, 'silentTruncation' | 'contextWindow'>;

/** How far above the window an estimate must be, as a factor, to be more than an error of the estimate. */
const CLEARLY_OVER = 1.2;
/** Below this part of the estimate a figure shows a prompt that was cut. */
const CLEARLY_CUT = 0.75;
/** A prompt below this part of the window is surely sent whole. */
const SURELY_WHOLE = 0.8;

/**
 * Refuses a request that such a server would cut, in the words upon which the client compacts its conversation.
 * @param estimate of the input, in tokens
 * @throws ApiError `context_overflow`
 */
export function refuseSilentTruncation(estimate: number, { silentTruncation, contextWindow }: Settings): void {
  if (!silentTruncation || contextWindow === undefined || estimate <= contextWindow * CLEARLY_OVER) return;
  throw new ApiError('context_overflow', `prompt is too long: ${estimate} tokens > ${contextWindow} maximum`);
}

/**
 * Whether the server has cut the prompt, to judge by its figure: nothing can be learned from that.
 * @param promptTokens what the server counted
 */
export function wasCutSilently(
  promptTokens: number,
  estimate: number,
  { silentTruncation, contextWindow = 0 }: Settings,
): boolean {
  return silentTruncation && promptTokens < estimate * CLEARLY_CUT && estimate > contextWindow * SURELY_WHOLE;
}

/** What stands in the log then. */
export const CUT_NOTE = 'the server has probably cut the input: set QUIRK_CONTEXT_WINDOW to its context';
