import type { Answer } from './answer.ts';
import { fail, failOf, ok, skipped, type Verdict, warn } from './verdict.ts';

/** Errors that come before the provider has looked at the key, or without it. */
const SILENT = new Set(['overloaded_error', 'timeout_error', 'api_error']);
const BAD_KEY = /api[ _-]?key|credential|unauthorized/i;

/**
 * Whether the provider takes the key, by the first answer; an error of another kind shows that it does.
 * @param key where the key comes from, in words
 */
export function judgeKey({ error }: Answer, key: string): Verdict {
  if (error === undefined) return ok(key);
  if (['authentication_error', 'billing_error'].includes(error.type)) return failOf(error);
  if (error.type === 'invalid_request_error' && BAD_KEY.test(error.message)) return fail(error.message);
  return SILENT.has(error.type) ? skipped('not known, as the provider did not answer') : ok(key);
}

/** The provider has too little room to finish, which proves that it has the model. */
const OUT_OF_ROOM = /max_(?:completion_)?tokens|output limit/i;

/**
 * Whether the provider serves a model, by any answer of it.
 * @param tiers those that it serves: `big, middle`
 */
export function judgeModel({ error }: Answer, tiers: string): Verdict {
  if (error === undefined) return ok(tiers);
  if (error.type === 'invalid_request_error' && OUT_OF_ROOM.test(error.message)) return ok(tiers);
  const verdict = failOf(error);
  return { ...verdict, detail: `${tiers}: ${verdict.detail}` };
}

/** Below this the whole answer came at once, and a rate would be noise. In ms. */
const MEASURABLE_MS = 100;

/** How an answer streams: time to the first token, tokens per second. */
export function judgeStream({ error, pieces, firstPieceMs, totalMs, usage, stopReason }: Answer): Verdict {
  if (error !== undefined) return skipped('no answer');
  if (firstPieceMs === undefined) {
    return stopReason === 'max_tokens' ? warn('all output went into hidden thinking') : fail('the answer is empty');
  }
  const first = `first token after ${(firstPieceMs / 1000).toFixed(1)} s`;
  if (pieces === 1) return warn(`${first}, the answer in one piece: something on the way holds it back`);
  const streamMs = totalMs - firstPieceMs;
  if (streamMs < MEASURABLE_MS) return ok(`${first}, the rest at once`);
  return ok(`${first}, ${Math.round((usage.output * 1000) / streamMs)} tokens/s`);
}
