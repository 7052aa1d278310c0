import type { StopReason } from '../protocol/anthropic/message.ts';
import type { QuirkSettings } from '../quirks/settings.ts';

/** What a provider's finish reason comes down to (R203). */
export type FinishMeaning = 'end' | 'length' | 'window' | 'filter' | 'failure' | 'unknown' | 'missing';

const MEANINGS: Readonly<Record<string, FinishMeaning>> = {
  stop: 'end',
  eos: 'end',
  end_turn: 'end',
  complete: 'end',
  stop_sequence: 'end',
  tool_calls: 'end',
  tool_use: 'end',
  function_call: 'end',
  length: 'length',
  max_tokens: 'length',
  model_length: 'length',
  model_context_window_exceeded: 'window',
  content_filter: 'filter',
  sensitive: 'filter',
  safety: 'filter',
  recitation: 'filter',
  refusal: 'filter',
  error: 'failure',
  network_error: 'failure',
  insufficient_system_resource: 'failure',
};

export function finishMeaning(reason: string | undefined): FinishMeaning {
  if (reason === undefined) return 'missing';
  const word = reason.toLowerCase();
  return Object.hasOwn(MEANINGS, word) ? (MEANINGS[word] ?? 'unknown') : 'unknown';
}

/**
 * Whether the provider may have stopped in the middle of a word: then nothing unfinished is completed by guessing
 * (R207).
 */
export function mayBeCutOff(meaning: FinishMeaning): boolean {
  return meaning !== 'end' && meaning !== 'unknown';
}

export interface StopFacts {
  readonly meaning: FinishMeaning;
  /** A tool_use block was written. */
  readonly called: boolean;
  /** The last call's arguments never became complete. */
  readonly unfinishedCall: boolean;
  /** Anything was written. */
  readonly spoke: boolean;
  /** A stop string was found, by the provider or here. */
  readonly stopped: boolean;
  /** The provider's counts show that the context window is full, not the output limit (R204). */
  readonly windowFull: boolean;
  readonly contentFilter: QuirkSettings['contentFilter'];
}

/** The stop reason by what was written, not by what the provider called it: first match wins (R203). */
export function toStopReason(facts: StopFacts): StopReason {
  const outOfRoom = facts.meaning === 'length' || facts.meaning === 'window';
  if (outOfRoom && facts.unfinishedCall) return roomReason(facts);
  if (facts.called) return 'tool_use';
  if (facts.stopped) return 'stop_sequence';
  if (outOfRoom) return roomReason(facts);
  if (facts.meaning === 'filter') return filterReason(facts);
  return 'end_turn';
}

function roomReason(facts: StopFacts): StopReason {
  return facts.meaning === 'window' || facts.windowFull ? 'model_context_window_exceeded' : 'max_tokens';
}

function filterReason(facts: StopFacts): StopReason {
  if (facts.contentFilter === 'auto') return facts.spoke ? 'end_turn' : 'refusal';
  return facts.contentFilter;
}
