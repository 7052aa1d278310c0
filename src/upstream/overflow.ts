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
const SEARCHED = 4096;

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
  return text.slice(0, SEARCHED).toLowerCase();
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
