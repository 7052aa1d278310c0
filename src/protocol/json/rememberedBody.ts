/** A value within a body: its bytes by position, and what they say. */
export interface RememberedValue {
  readonly start: number;
  readonly end: number;
  readonly value: unknown;
}

/** A body that was read, with those of its parts that a later body may have in common with it. */
export interface RememberedBody {
  readonly bytes: Buffer;
  /** By top-level name; of lists that were read element by element, the elements. */
  readonly values: ReadonlyMap<string, RememberedValue>;
  readonly elements: ReadonlyMap<string, readonly RememberedValue[]>;
}

const FIRST_STEP = 512;

/** How many bytes two bodies have in common at their beginning, to within the last step that was compared. */
export function commonPrefix(one: Buffer, other: Buffer): number {
  const length = Math.min(one.length, other.length);
  let equal = 0;
  for (let step = FIRST_STEP; equal < length; step *= 2) {
    const end = Math.min(equal + step, length);
    if (one.compare(other, equal, end, equal, end) !== 0) return equal;
    equal = end;
  }
  return equal;
}

/** Whether `bytes` has at `at` what the remembered body has as this value. */
export function standsAt(bytes: Buffer, at: number, body: RememberedBody, { start, end }: RememberedValue): boolean {
  const length = end - start;
  return at + length <= bytes.length && bytes.compare(body.bytes, start, end, at, at + length) === 0;
}
