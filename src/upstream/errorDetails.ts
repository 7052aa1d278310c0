import type { ResponseHeaders } from './upstream.ts';

/** What a provider's words say about a conversation that is too long; the numbers are tokens. */
export interface Overflow {
  /** `prompt`: the conversation alone is too long. `output`: it fits, but not together with the requested output. */
  readonly kind: 'prompt' | 'output';
  readonly prompt?: number;
  readonly output?: number;
  readonly limit?: number;
}

const CODES = new Set(['context_length_exceeded', 'model_context_window_exceeded', 'exceed_context_size_error']);

/** Wordings that mean "too long for the context window", seen from providers and gateways. */
const WORDINGS = [
  /prompt is too long/,
  /maximum context length/,
  /exceeds? the (?:available )?context (?:window|size|length)/,
  /longer than the (?:maximum )?(?:model(?:'s)? )?context length/,
  /exceeds the maximum number of tokens allowed/,
  /exceeded model token limit/,
  /input token length too long/,
  /input tokens exceed the configured limit/,
  /maximum context limit/,
  /maximum prompt length/,
  /prompt exceeds max(?:imum)? length/,
  /tokens in request more than max tokens allowed/,
  /range of input length should be/,
  /context window exceeds limit/,
  /but (?:the )?model only supports up to/,
  /reduce the length of the messages/,
  // Counted in bytes, but a shorter conversation is the remedy here, too.
  /total message size \d+ exceeds limit/,
  /`?inputs`? tokens \+ `?max_new_tokens`? must be/,
  /input is too long for requested model/,
  /too many tokens for (?:this|the) model/,
];

/** Words that look alike and mean something else: a field's own limit, a policy, a budget per minute. */
const EXCLUSIONS =
  /string too long|string_above_max_length|tokens per (?:min|day)|\btp[md]\b|rate[_ ]limit|data loss|policy/;

/**
 * The words are a provider's, so each pattern takes time in proportion to them: numbers have a bounded length, and where one comes
 * first it is looked for at its first digit only.
 */
const NUMBER = String.raw`\D{0,4}([\d,]{1,15})`;

const LIMIT_PATTERNS = [
  `maximum context (?:length|limit)(?: is| of)?`,
  `maximum prompt length is`,
  `maximum number of tokens allowed`,
  `exceeded model token limit`,
  `range of input length should be \\[\\d{1,15},`,
  `only supports up to`,
  `max_new_tokens\`? must be <=?`,
  `tokens >`,
  `context (?:window|size|length) (?:of|is)`,
  `"n_ctx":`,
].map((words) => new RegExp(words + NUMBER));

const PROMPT_PATTERNS = [
  /(?<![\d,])([\d,]{1,15}) (?:tokens )?(?:in|from|of) (?:the |your )?(?:messages|prompt|input|text input)/,
  /messages resulted in \D{0,3}([\d,]{1,15})/,
  /input token count \D{0,3}([\d,]{1,15})/,
  /requested:?\s*\D{0,8}?([\d,]{1,15})/,
  /request contains ([\d,]{1,15})/,
  /prompt is too long: ([\d,]{1,15})/,
  /given: ([\d,]{1,15})/,
  /"n_prompt_tokens":\s*([\d,]{1,15})/,
  /prompt (?:has|contains) (?:at least )?([\d,]{1,15})/,
  /(?<![\d,])([\d,]{1,15}) tokens >/,
];

const OUTPUT_PATTERNS = [
  /(?<![\d,])([\d,]{1,15}) (?:tokens )?(?:in|for|of) (?:the |your )?(?:completion|output)/,
  /(?<![\d,])(\d[\d,]{0,14}) `?max_new_tokens`?/,
];

function firstNumber(patterns: readonly RegExp[], text: string): number | undefined {
  for (const pattern of patterns) {
    const digits = pattern.exec(text)?.[1]?.replaceAll(',', '');
    if (digits !== undefined && digits !== '') return Number(digits);
  }
  return undefined;
}

/**
 * Recognises a context overflow in an error's code, type or text, and the numbers in it.
 * @param text message or whole body of the error
 * @param names its code and type, as far as known
 */
export function readOverflow(text: string, names: readonly (string | undefined)[]): Overflow | undefined {
  const words = text.toLowerCase();
  const named = names.some((name) => name !== undefined && CODES.has(name));
  if (!named && (EXCLUSIONS.test(words) || !WORDINGS.some((wording) => wording.test(words)))) return undefined;
  const limit = firstNumber(LIMIT_PATTERNS, words);
  const prompt = firstNumber(PROMPT_PATTERNS, words);
  const output = firstNumber(OUTPUT_PATTERNS, words);
  const promptFits = limit !== undefined && prompt !== undefined && prompt <= limit;
  return {
    kind: promptFits && output !== undefined ? 'output' : 'prompt',
    ...(limit === undefined ? {} : { limit }),
    ...(prompt === undefined ? {} : { prompt }),
    ...(output === undefined ? {} : { output }),
  };
}

/** The client waits up to 60 s by itself and gives up at once above (measured), so short limits are not stretched over it. */
const CLIENT_WAIT_SECONDS = 60;
const SHORT_LIMIT_SECONDS = 300;

/** Nobody waits longer for an answer; what exceeds it is a mistake of the provider, and no clock could show the largest. */
const LONGEST_WAIT_SECONDS = 86_400;

/** `1.5`, `250ms`, `12s`, `6m0s`, `1h2m` in seconds. */
function parseDuration(text: string): number | undefined {
  const plain = Number(text);
  if (text.trim() !== '' && Number.isFinite(plain)) return plain;
  const units: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };
  let seconds = 0;
  let rest = text.trim();
  while (rest !== '') {
    const part = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)/.exec(rest);
    if (part === null) return undefined;
    seconds += Number(part[1]) * (units[part[2] ?? ''] ?? 0);
    rest = rest.slice(part[0].length);
  }
  return seconds;
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function fromHeaders(headers: ResponseHeaders, now: number): number | undefined {
  const milliseconds = Number(single(headers['retry-after-ms']) ?? Number.NaN);
  if (Number.isFinite(milliseconds)) return milliseconds / 1000;
  const value = single(headers['retry-after']);
  if (value !== undefined) {
    const seconds = parseDuration(value);
    if (seconds !== undefined) return seconds;
    const date = Date.parse(value);
    if (Number.isFinite(date)) return Math.max(0, (date - now) / 1000);
  }
  // Only the limit that is used up says how long to wait.
  for (const kind of ['requests', 'tokens']) {
    const reset = single(headers[`x-ratelimit-reset-${kind}`]);
    if (reset !== undefined && single(headers[`x-ratelimit-remaining-${kind}`]) === '0') return parseDuration(reset);
  }
  return undefined;
}

function fromText(text: string): number | undefined {
  const words =
    /(?:try again|retry)(?: after| in)?:?\s+(\d[\d.hms]*)\s*(s|sec|seconds?|m|minutes?)?/i.exec(text) ??
    /"retryDelay":\s*"([\d.]+s)"/.exec(text);
  if (words?.[1] === undefined) return undefined;
  const unit = words[2] ?? '';
  return parseDuration(words[1].replace(/\.$/, '') + (/[a-z]$/i.test(words[1]) ? '' : unit.charAt(0).toLowerCase()));
}

/**
 * How long the provider asks to wait, in whole seconds: from its headers, else from its words. A limit of minutes is
 * shortened to what the client waits by itself; one of hours is kept, so that the client stops and says so, up to a day.
 * Undefined for what is no pause, as a negative number.
 */
export function readRetryAfter(headers: ResponseHeaders, text: string, now: number): number | undefined {
  const seconds = fromHeaders(headers, now) ?? fromText(text);
  if (seconds === undefined || !Number.isFinite(seconds) || seconds < 0) return undefined;
  if (seconds > CLIENT_WAIT_SECONDS && seconds <= SHORT_LIMIT_SECONDS) return CLIENT_WAIT_SECONDS;
  return Math.ceil(Math.min(seconds, LONGEST_WAIT_SECONDS));
}
