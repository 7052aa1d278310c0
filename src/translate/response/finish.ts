import type { MessageUsage, StopReason } from '../../protocol/anthropic/message.ts';
import type { Usage } from '../../protocol/delta.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';

/** What a provider's finish reason comes down to. */
export type FinishMeaning = 'end' | 'length' | 'window' | 'filter' | 'failure' | 'brokenCall' | 'unknown' | 'missing';

const MEANINGS: Readonly<Record<string, FinishMeaning>> = {
  stop: 'end',
  eos: 'end',
  eos_token: 'end',
  end: 'end',
  end_turn: 'end',
  complete: 'end',
  completed: 'end',
  done: 'end',
  finished: 'end',
  success: 'end',
  stop_sequence: 'end',
  tool_call: 'end',
  tool_calls: 'end',
  tool_use: 'end',
  function_call: 'end',
  length: 'length',
  max_tokens: 'length',
  max_output_tokens: 'length',
  max_length: 'length',
  model_length: 'length',
  model_context_window_exceeded: 'window',
  content_filter: 'filter',
  sensitive: 'filter',
  safety: 'filter',
  recitation: 'filter',
  blocklist: 'filter',
  prohibited_content: 'filter',
  spii: 'filter',
  refusal: 'filter',
  error: 'failure',
  network_error: 'failure',
  insufficient_system_resource: 'failure',
  abort: 'failure',
  aborted: 'failure',
  cancel: 'failure',
  cancelled: 'failure',
  canceled: 'failure',
  interrupted: 'failure',
  timeout: 'failure',
  other: 'failure',
  finish_reason_unspecified: 'failure',
  malformed_function_call: 'brokenCall',
  unexpected_tool_call: 'brokenCall',
};

export function finishMeaning(reason: string | undefined): FinishMeaning {
  if (reason === undefined) return 'missing';
  // Some write a family in front: "function_call_filter: MALFORMED_FUNCTION_CALL".
  const word = reason
    .slice(reason.lastIndexOf(':') + 1)
    .trim()
    .toLowerCase();
  return Object.hasOwn(MEANINGS, word) ? (MEANINGS[word] ?? 'unknown') : 'unknown';
}

/**
 * Whether the provider may have stopped in the middle of a word: then nothing unfinished is completed by guessing.
 */
export function mayBeCutOff(meaning: FinishMeaning): boolean {
  return meaning !== 'end' && meaning !== 'unknown';
}

export interface StopFacts {
  readonly meaning: FinishMeaning;
  /** A tool_use block was written. */
  readonly called: boolean;
  /** The arguments of a call were cut off, by the output limit or the window. */
  readonly unfinishedCall: boolean;
  /** Anything was written. */
  readonly spoke: boolean;
  /** A stop string was found, by the provider or here. */
  readonly stopped: boolean;
  /** The provider's counts show that the context window is full, not the output limit. */
  readonly windowFull: boolean;
  readonly contentFilter: QuirkSettings['contentFilter'];
}

/** The stop reason by what was written, not by what the provider called it: first match wins. */
export function toStopReason(facts: StopFacts): StopReason {
  if (facts.unfinishedCall) return limitReason(facts);
  const hitLimit = facts.meaning === 'length' || facts.meaning === 'window';
  if (facts.called) return 'tool_use';
  if (facts.stopped) return 'stop_sequence';
  if (hitLimit) return limitReason(facts);
  if (facts.meaning === 'filter') return filterReason(facts);
  return 'end_turn';
}

function limitReason(facts: StopFacts): StopReason {
  return facts.meaning === 'window' || facts.windowFull ? 'model_context_window_exceeded' : 'max_tokens';
}

function filterReason(facts: StopFacts): StopReason {
  if (facts.contentFilter === 'auto') return facts.spoke ? 'end_turn' : 'refusal';
  return facts.contentFilter;
}

/**
 * UTF-8 bytes of text that make one token: English and code about 3.6, Chinese about one letter of three bytes.
 */
const BYTES_PER_TOKEN = 3.6;

/**
 * Later counts replace earlier ones, as they are cumulative, unless they are all zero: some providers write
 * zeros into every chunk but the right one. The prompt's three figures belong together and are replaced together.
 */
export function mergeUsage(known: Usage | undefined, next: Usage): Usage {
  if (known === undefined) return next;
  const prompt = next.input + next.cacheRead + next.cacheWrite > 0 ? next : known;
  const reasoning = next.reasoning ?? known.reasoning;
  return {
    input: prompt.input,
    cacheRead: prompt.cacheRead,
    cacheWrite: prompt.cacheWrite,
    output: next.output > 0 ? next.output : known.output,
    ...(reasoning !== undefined && { reasoning }),
  };
}

/**
 * In Anthropic's words. The client takes a zero for "not known" and keeps its estimate from message_start, so an
 * input that came wholly from the cache counts as one token.
 */
export function toMessageUsage(usage: Usage): MessageUsage {
  return {
    input_tokens: Math.max(1, usage.input),
    cache_creation_input_tokens: usage.cacheWrite,
    cache_read_input_tokens: usage.cacheRead,
    output_tokens: usage.output,
  };
}

/**
 * Puts estimates where the provider gave no counts; `utf8Bytes` is the length of everything that was answered.
 */
export function fillUsage(usage: Usage | undefined, inputEstimate: number, utf8Bytes: number): Usage {
  const known = usage ?? { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  const prompt = known.input + known.cacheRead + known.cacheWrite;
  return {
    ...known,
    input: prompt > 0 ? known.input : inputEstimate,
    output: known.output > 0 ? known.output : Math.ceil(utf8Bytes / BYTES_PER_TOKEN),
  };
}

/** The context window is full although the output limit is far away. */
export function isWindowFull(usage: Usage, contextWindow: number | undefined, maxTokens: number | undefined): boolean {
  if (contextWindow === undefined) return false;
  const total = usage.input + usage.cacheRead + usage.cacheWrite + usage.output;
  return total >= contextWindow * 0.99 && (maxTokens === undefined || usage.output < maxTokens * 0.9);
}
