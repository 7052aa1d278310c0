import {
  limitPatterns,
  outputExhaustedWords,
  outputLimitWords,
  outputPatterns,
  overflowCodes,
  overflowLookAlikes,
  overflowWords,
  promptPatterns,
  type Wording,
} from '../providers/wordings/overflowWordings.ts';
import {
  blockPageMarks,
  type RefusalClass,
  refusalCodes,
  refusalWords,
  toolLimitWords,
} from '../providers/wordings/refusalWordings.ts';
import type { ResponseHeaders } from './upstream.ts';

/** The client waits up to 60 s by itself and gives up at once above (measured), so short limits are not stretched over it. */
const CLIENT_WAIT_SECONDS = 60;
const SHORT_LIMIT_SECONDS = 300;

/** Letters of a body among which a pause is looked for. */
const SEARCHED_FOR_PAUSE = 16_384;

/** The time until a limit is renewed: a time since 1970 in milliseconds or seconds, else what is left of it. */
function parseReset(text: string, now: number): number | undefined {
  const value = Number(text);
  if (!(value >= 1e9)) return parseDuration(text);
  return Math.max(0, (value >= 1e12 ? value - now : value * 1000 - now) / 1000);
}
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
  const reset = single(headers['x-ratelimit-reset']);
  const remaining = single(headers['x-ratelimit-remaining']) ?? '0';
  return reset !== undefined && remaining === '0' ? parseReset(reset, now) : undefined;
}

/** Where a pause stands beside the words of an error: RetryInfo of Google's APIs, and headers of a provider behind the provider. */
function fromBody(body: string, now: number): number | undefined {
  const searched = body.slice(0, SEARCHED_FOR_PAUSE);
  const delay = /"retryDelay\\?":\s{0,4}\\?"(\d{1,9}(?:\.\d{1,9})?s)/.exec(searched)?.[1];
  if (delay !== undefined) return parseDuration(delay);
  const reset = /"x-ratelimit-reset\\?":\s{0,4}\\?"?(\d{1,15})/i.exec(searched)?.[1];
  return reset === undefined ? undefined : parseReset(reset, now);
}

function fromText(text: string): number | undefined {
  const words = /(?:try again|retry)(?: after| in)?:?\s+(\d[\d.hms]*)\s*(s|sec|seconds?|m|minutes?)?/i.exec(text);
  if (words?.[1] === undefined) return undefined;
  const unit = words[2] ?? '';
  return parseDuration(words[1].replace(/\.$/, '') + (/[a-z]$/i.test(words[1]) ? '' : unit.charAt(0).toLowerCase()));
}

/**
 * How long the provider asks to wait, in whole seconds: from its headers, else from its words. A limit of minutes is
 * shortened to what the client waits by itself; one of hours is kept, so that the client stops and says so, up to a day.
 * Undefined for what is no pause, as a negative number.
 */
export function readRetryAfter(headers: ResponseHeaders, text: string, now: number, body = text): number | undefined {
  const seconds = fromHeaders(headers, now) ?? fromText(text) ?? fromBody(body, now);
  if (seconds === undefined || !Number.isFinite(seconds) || seconds < 0) return undefined;
  if (seconds > CLIENT_WAIT_SECONDS && seconds <= SHORT_LIMIT_SECONDS) return CLIENT_WAIT_SECONDS;
  return Math.ceil(Math.min(seconds, LONGEST_WAIT_SECONDS));
}

/** What a provider's words say about a conversation that is too long; the numbers are tokens. */
export interface Overflow {
  /** `prompt`: the conversation alone is too long. `output`: it fits, but not together with the requested output. */
  readonly kind: 'prompt' | 'output';
  readonly prompt?: number;
  readonly output?: number;
  readonly limit?: number;
}

/** An output limit that is above what the model writes; tokens. */
export interface OutputLimit {
  readonly most: number;
  /** What was asked for, where the words say it. */
  readonly output?: number;
}

/** What an error is about stands near its beginning; further letters, as of a request that is repeated to us, are not searched. */
const SEARCHED_FOR_CAUSE = 4096;

function firstNumber(patterns: readonly RegExp[], text: string): number | undefined {
  for (const pattern of patterns) {
    const digits = pattern.exec(text)?.[1]?.replaceAll(',', '');
    if (digits !== undefined && digits !== '') return Number(digits);
  }
  return undefined;
}

const isSaid = (wordings: readonly Wording[], text: string) => wordings.some(({ words }) => words.test(text));

/** The part of a text in which words are looked for, in lower case. */
export function searchable(text: string): string {
  return text.slice(0, SEARCHED_FOR_CAUSE).toLowerCase();
}

/**
 * Recognises a context overflow in an error's code, type or text, and the numbers in it.
 * @param text message of the error
 * @param names its code and type, as far as known
 * @param raw the whole body, in which some servers put the numbers beside the message
 */
export function readOverflow(text: string, names: readonly (string | undefined)[], raw = text): Overflow | undefined {
  const words = searchable(text);
  const named = names.some((name) => name !== undefined && overflowCodes.has(name.toLowerCase()));
  if (!named && (!isSaid(overflowWords, words) || isSaid(overflowLookAlikes, words))) return undefined;
  const body = searchable(raw);
  const read = (patterns: readonly RegExp[]) => firstNumber(patterns, words) ?? firstNumber(patterns, body);
  const limit = read(limitPatterns);
  const prompt = read(promptPatterns);
  const output = read(outputPatterns);
  const promptFits = limit !== undefined && prompt !== undefined && prompt <= limit;
  return {
    kind: promptFits && output !== undefined ? 'output' : 'prompt',
    ...(limit === undefined ? {} : { limit }),
    ...(prompt === undefined ? {} : { prompt }),
    ...(output === undefined ? {} : { output }),
  };
}

/** Recognises that the model writes less than the output limit of the request. */
export function readOutputLimit(text: string): OutputLimit | undefined {
  const words = searchable(text);
  const named = firstNumber(
    outputLimitWords.map((wording) => wording.words),
    words,
  );
  if (named === undefined) return undefined;
  const output = firstNumber(outputPatterns, words);
  const most = words.includes(`${named} (exclusive)`) ? named - 1 : named;
  return { most, ...(output === undefined ? {} : { output }) };
}

/** Whether the output limit was used up before the model could say a word. */
export function isOutputExhausted(text: string): boolean {
  return isSaid(outputExhaustedWords, searchable(text));
}

/** The most tools of one request that a server takes, as its refusal of more says it. */
export function readToolLimit(text: string): number | undefined {
  return firstNumber(
    toolLimitWords.map((wording) => wording.words),
    searchable(text),
  );
}

/** The order in which the classes are tried, the most certain words first. */
const ORDER = Object.keys(refusalWords) as readonly RefusalClass[];

/**
 * What a refusal is about, by its names or its words; undefined when neither says it.
 * @param text message of the error
 * @param names its code and type, as far as known
 */
export function classifyRefusal(text: string, names: readonly (string | undefined)[] = []): RefusalClass | undefined {
  for (const name of names) {
    const known = name?.toLowerCase() ?? '';
    if (Object.hasOwn(refusalCodes, known)) return refusalCodes[known];
    if (known.startsWith('billing_')) return 'billing';
  }
  const words = searchable(text);
  return ORDER.find((refusal) => refusalWords[refusal].some((wording) => wording.words.test(words)));
}

/** Most efforts that a list is read for. */
const EFFORT = /\b(?:none|minimal|low|medium|high|xhigh|max)\b/g;
const EFFORT_LIST = /(?:supported values|valid levels|valid values|allowed values|one of)[^a-z]{1,12}(?:are)?/;

/** The efforts that a model takes, as its refusal of another lists them; empty where it lists none. */
export function readEfforts(text: string): readonly string[] {
  const words = searchable(text);
  const list = EFFORT_LIST.exec(words);
  if (list === null) return [];
  return [...new Set(words.slice(list.index, list.index + 200).match(EFFORT) ?? [])];
}

/** A page of a firewall or a network proxy, by which a request never reached the provider: whose page it is, or undefined when it is none. */
export function readBlockPage(status: number, headers: ResponseHeaders, body: string): string | undefined {
  if (!body.trimStart().startsWith('<')) return undefined;
  const challenged = headers['cf-mitigated'] === 'challenge' || body.includes('<title>Just a moment');
  if (status !== 403 && !(status === 503 && challenged)) return undefined;
  const page = searchable(body);
  const owner = blockPageMarks.find(({ words }) => words.test(page))?.owner;
  return owner ?? (headers['cf-ray'] === undefined ? 'a firewall or network proxy' : 'Cloudflare');
}
