import { askFor, type FullCheck } from '../fullCheck.ts';
import { failOf, ok, warn } from '../verdict.ts';

/** About 5,000 tokens, above the smallest prompt that the known providers cache, and the same each time. */
const LINES = 300;
const MANUAL = Array.from(
  { length: LINES },
  (_, index) => `Rule ${index + 1}: a request with the number ${index * 7} goes to shelf ${index % 12} of the archive.`,
).join('\n');

const request = () =>
  askFor('Answer with one word: ready', {
    max_tokens: 16,
    system: [{ type: 'text', text: MANUAL, cache_control: { type: 'ephemeral' } }],
  });

/** The second of two equal prompts is counted as cached, which is what makes long sessions cheap. */
export const cachedTokens: FullCheck = {
  name: 'cached tokens',
  turns: [request, request],
  judge: (_first, last) => {
    if (last.error !== undefined) return failOf(last.error);
    const { input, cacheRead, cacheWrite } = last.usage;
    const total = input + cacheRead + cacheWrite;
    if (cacheRead > 0) return ok(`${cacheRead} of ${total} input tokens came from the cache`);
    return warn(`none of ${total} input tokens was counted as cached: the provider does not cache, or does not tell`);
  },
};
