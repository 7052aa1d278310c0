const PLACEHOLDERS = [
  /^(?:sk-)?[*x.]{3,}$/i,
  /^(?:sk-)?<.*>$/,
  /^(?:sk-)?(?:my|your)[-_ ]/i,
  /^(?:sk-)?(?:change|replace)[-_]?me/i,
  /^(?:sk-)?(?:placeholder|todo)$/i,
];

const TRIVIAL_TOKENS = /^(?:any|any-value|dummy|dummy-key|test|secret|password|token|none)$/i;

/** Whether a key is what an example file had in its place, like `your-api-key-here` or `sk-xxx`. */
export function isPlaceholder(value: string): boolean {
  return PLACEHOLDERS.some((shape) => shape.test(value));
}

/** Whether a token protects nothing: a placeholder, or one of the first words that anybody tries (A2). */
export function isTrivialToken(value: string): boolean {
  return isPlaceholder(value) || TRIVIAL_TOKENS.test(value);
}
