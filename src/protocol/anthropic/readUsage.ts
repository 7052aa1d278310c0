import { asNumber, isObject } from '../../core/json.ts';
import type { Usage } from '../delta.ts';

/** Token counts from a `usage` in Anthropic's own words, whose input leaves both cache figures out; undefined when it names none. */
export function readAnthropicUsage(usage: unknown): Usage | undefined {
  if (!isObject(usage)) return undefined;
  const input = asNumber(usage['input_tokens']);
  const output = asNumber(usage['output_tokens']);
  if (input === undefined && output === undefined) return undefined;
  return {
    input: input ?? 0,
    output: output ?? 0,
    cacheRead: asNumber(usage['cache_read_input_tokens']) ?? 0,
    cacheCreation: asNumber(usage['cache_creation_input_tokens']) ?? 0,
  };
}
