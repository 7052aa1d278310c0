import { nearestName } from '../../src/core/text.ts';

/** `; did you mean "x"?` or nothing, to hang on to a message. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const found = nearestName(word, candidates);
  return found === undefined ? '' : `; did you mean "${found}"?`;
}
