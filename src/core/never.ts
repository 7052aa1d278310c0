/** Marks a switch as exhaustive: the compiler refuses the call when a case is missing. */
export function never(value: never): never {
  throw new TypeError(`unexpected value: ${String(value)}`);
}
