import { suggestionsFor } from '../../../src/core/errorHints.ts';
import { environmentName, type SettingName } from '../../../src/quirks/settings.ts';
import type { Answer, AnswerError } from './answer.ts';

export type Result = 'ok' | 'warn' | 'fail' | 'skipped';

/** What became of one check. */
export interface Verdict {
  readonly result: Result;
  /** What was seen, for people. */
  readonly detail: string;
  /** Lines for the env file, like `QUIRK_VISION=false`, that may help; empty when there is none. */
  readonly quirks: readonly string[];
  /** Sentences on what else to try. */
  readonly suggestions: readonly string[];
}

function verdict(result: Result, detail: string, quirks: readonly string[] = []): Verdict {
  return { result, detail, quirks, suggestions: [] };
}

export const ok = (detail: string) => verdict('ok', detail);
export const warn = (detail: string, ...quirks: string[]) => verdict('warn', detail, quirks);
export const fail = (detail: string, ...quirks: string[]) => verdict('fail', detail, quirks);
export const skipped = (reason: string) => verdict('skipped', reason);

/** The line of an env file that sets a quirk. */
export function quirk(name: SettingName, value: string): string {
  return `${environmentName(name)}=${value}`;
}

/**
 * An answer that is an error. Quirks help only where the provider refused the request as such; a limit of the rate says
 * nothing about what was to be checked.
 */
export function failOf(error: AnswerError, ...quirks: string[]): Verdict {
  const suggestions = suggestionsFor(error.type);
  if (error.type === 'rate_limit_error') return { ...warn(`not known: ${error.message}`), suggestions };
  if (error.type === 'invalid_request_error' && quirks.length > 0) return fail(error.message, ...quirks);
  return { ...fail(error.message), suggestions };
}

const SHOWN = 60;

/** The beginning of what the model said, in one line. */
export function said({ text, stopReason }: Answer): string {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  const shown = line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
  if (shown !== '') return `the model said “${shown}”`;
  return stopReason === 'max_tokens' ? 'the output limit came before any words' : 'the model said nothing';
}
