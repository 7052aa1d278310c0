/** First waiting time before a repetition, in ms; it doubles with each further one. */
const FIRST_MS = 500;

/**
 * Exponential backoff with full jitter (R409): a random share of 0.5 s, 1 s, 2 s, ..., so that many clients of one provider
 * do not come back together.
 * @param repetition 0 for the first
 * @param random a number from 0 to below 1
 */
export function backoffMs(repetition: number, random: number): number {
  return Math.round(FIRST_MS * 2 ** repetition * random);
}
