/** How one API words an answer. */
export interface Dialect {
  /** Events before the first delta. */
  readonly opening: string;
  delta(text: string): string;
  /** Events after the last delta. */
  closing(promptTokens: number, completionTokens: number): string;
  /** The whole answer, for a request that asks for no stream. */
  whole(text: string, promptTokens: number, completionTokens: number): string;
}
