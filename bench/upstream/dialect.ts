/** How one API words an answer. */
export interface Dialect {
  /** Events before the first delta. */
  readonly opening: string;
  /** @param index of the delta in its answer */
  delta(text: string, index: number): string;
  /** Events after the last delta. */
  closing(promptTokens: number, completionTokens: number): string;
  /** The whole answer, for a request that asks for no stream. */
  whole(text: string, promptTokens: number, completionTokens: number): string;
}
