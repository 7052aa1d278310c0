/** What a user should know of an instance besides its state. */
export interface Remark {
  readonly what: string;
  /** How to mend it; undefined where there is nothing to do, or `what` says it. */
  readonly remedy?: string;
}

/** A remark in a line that begins with the instance. */
export function remarkLine(name: string, { what, remedy }: Remark): string {
  return remedy === undefined ? `${name}: ${what}` : `${name}: ${what}; ${remedy}`;
}
