import { askFor, type FullCheck } from '../fullCheck.ts';
import { fail, ok, warn } from '../verdict.ts';

/** One token of every known tokenizer. */
const WORD = 'a ';
/** So far above the window that it is refused before anything is computed, and so costs nothing. */
const TIMES_WINDOW = 2;
/** Room for the rest of the request. */
const ENVELOPE_BYTES = 10_000;

/** A conversation that is too long gets the words at which Claude Code makes it shorter. */
export const overflow: FullCheck = {
  name: 'overflow',
  skip: ({ settings: { contextWindow }, maxBodyBytes, isLocal }) => {
    if (contextWindow === undefined) return 'the context window is not known';
    if (isLocal) return 'a server of your own may compute it all';
    const bytes = contextWindow * TIMES_WINDOW * WORD.length + ENVELOPE_BYTES;
    return bytes > maxBodyBytes ? 'it would be larger than MAX_BODY_BYTES' : undefined;
  },
  turns: [
    (_answers, { settings }) => askFor(WORD.repeat((settings.contextWindow ?? 0) * TIMES_WINDOW), { max_tokens: 1 }),
  ],
  judge: ({ error, usage }) => {
    if (error === undefined) {
      const tokens = usage.input + usage.cacheRead + usage.cacheWrite;
      return warn(`the provider took ${tokens} tokens: its window is larger than is known, or it cuts silently`);
    }
    if (error.message.startsWith('prompt is too long')) return ok(`becomes “${error.message}”`);
    if (error.type === 'request_too_large') return ok('refused by its size, at which Claude Code compacts, too');
    if (error.type === 'rate_limit_error') return warn(`not known: ${error.message}`);
    return fail(`Claude Code will not understand this and not compact: ${error.message}`);
  },
};
