import { isObject, type JsonObject, tokenCount } from '../../core/json.ts';
import type { Usage } from '../delta.ts';

/**
 * Token counts from any provider's `usage` object, undefined when it names none. OpenAI's prompt count includes
 * what came from the cache, Anthropic's excludes it; a cached count above the prompt count shows that the provider had
 * taken it out already.
 */
export function readUsage(usage: unknown): Usage | undefined {
  if (!isObject(usage)) return undefined;
  const prompt = tokenCount(usage['prompt_tokens']) ?? tokenCount(usage['input_tokens']);
  const completion = tokenCount(usage['completion_tokens']) ?? tokenCount(usage['output_tokens']);
  if (prompt === undefined && completion === undefined) return undefined;

  const details = firstObject(usage['prompt_tokens_details'], usage['input_tokens_details']);
  const cacheRead = firstCount(
    usage['cache_read_input_tokens'],
    details['cached_tokens'],
    usage['prompt_cache_hit_tokens'],
    usage['cached_tokens'],
    usage['num_cached_tokens'],
    details['num_cached_tokens'],
  );
  const written = firstCount(
    usage['cache_creation_input_tokens'],
    details['cache_creation_input_tokens'],
    details['cache_creation_tokens'],
    details['cache_write_tokens'],
  );
  const total = tokenCount(usage['total_tokens']) ?? 0;
  const output = completion ?? Math.max(0, total - (prompt ?? 0));
  const input = prompt ?? Math.max(0, total - output);
  // Some leave the reasoning out of the completion: the total shows that it comes on top.
  const completionDetails = firstObject(usage['completion_tokens_details'], usage['output_tokens_details']);
  const reasoning = firstCount(completionDetails['reasoning_tokens']);
  const isBeside = total === input + output + reasoning;
  const alreadyNet = cacheRead > input;
  // What does not fit into the prompt was named twice, as read and as written: the sum must stay the prompt's.
  const fresh = Math.max(0, input - cacheRead);
  const cacheWrite = alreadyNet || written <= fresh ? written : written === cacheRead ? 0 : fresh;
  return {
    input: alreadyNet ? input : fresh - cacheWrite,
    output: isBeside ? output + reasoning : output,
    cacheRead,
    cacheWrite,
    ...(reasoning > 0 && { reasoning }),
  };
}

function firstObject(...values: unknown[]): JsonObject {
  return values.find(isObject) ?? {};
}

/** The first positive number: providers write 0 into the fields that they do not use. */
function firstCount(...values: unknown[]): number {
  for (const value of values) {
    const count = tokenCount(value);
    if (count !== undefined && count > 0) return count;
  }
  return 0;
}
