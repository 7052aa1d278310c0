import type { MessageUsage } from '../protocol/anthropic/message.ts';
import type { Usage } from '../protocol/delta.ts';

/**
 * UTF-8 bytes of text that make one token: English and code about 3.6, Chinese about one letter of three bytes (R502).
 */
const BYTES_PER_TOKEN = 3.6;

/**
 * Later counts replace earlier ones, as they are cumulative (R313), unless they are all zero: some providers write
 * zeros into every chunk but the right one. The prompt's three figures belong together and are replaced together.
 */
export function mergeUsage(known: Usage | undefined, next: Usage): Usage {
  if (known === undefined) return next;
  const prompt = next.input + next.cacheRead + next.cacheCreation > 0 ? next : known;
  const reasoning = next.reasoning ?? known.reasoning;
  return {
    input: prompt.input,
    cacheRead: prompt.cacheRead,
    cacheCreation: prompt.cacheCreation,
    output: next.output > 0 ? next.output : known.output,
    ...(reasoning !== undefined && { reasoning }),
  };
}

/**
 * In Anthropic's words. The client takes a zero for "not known" and keeps its estimate from message_start (R303), so an
 * input that came wholly from the cache counts as one token.
 */
export function toMessageUsage(usage: Usage): MessageUsage {
  return {
    input_tokens: Math.max(1, usage.input),
    cache_creation_input_tokens: usage.cacheCreation,
    cache_read_input_tokens: usage.cacheRead,
    output_tokens: usage.output,
  };
}

/**
 * Puts estimates where the provider gave no counts (R206); `utf8Bytes` is the length of everything that was answered.
 */
export function fillUsage(usage: Usage | undefined, inputEstimate: number, utf8Bytes: number): Usage {
  const known = usage ?? { input: 0, output: 0, cacheRead: 0, cacheCreation: 0 };
  const prompt = known.input + known.cacheRead + known.cacheCreation;
  return {
    ...known,
    input: prompt > 0 ? known.input : inputEstimate,
    output: known.output > 0 ? known.output : Math.ceil(utf8Bytes / BYTES_PER_TOKEN),
  };
}

/** The context window is full although the output limit is far away (R204). */
export function isWindowFull(usage: Usage, contextWindow: number | undefined, maxTokens: number | undefined): boolean {
  if (contextWindow === undefined) return false;
  const total = usage.input + usage.cacheRead + usage.cacheCreation + usage.output;
  return total >= contextWindow * 0.99 && (maxTokens === undefined || usage.output < maxTokens * 0.9);
}
