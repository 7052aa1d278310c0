/** Holds the event loop, as the reading of a piece of an answer may. */
export function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
