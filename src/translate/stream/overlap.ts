/**
 * Length of the longest end of `text` that is a beginning of `word`, but not all of it: what must wait for the next
 * piece.
 */
export function overlap(text: string, word: string): number {
  for (let length = Math.min(text.length, word.length - 1); length > 0; length -= 1) {
    if (text.endsWith(word.slice(0, length))) return length;
  }
  return 0;
}
