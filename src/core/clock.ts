/**
 * Time as a dependency, so that timers and ages can be tested without waiting.
 * `now` is wall-clock milliseconds since 1970; `monotonic` is milliseconds from an arbitrary start that never jumps.
 */
export interface Clock {
  now(): number;
  monotonic(): number;
}
