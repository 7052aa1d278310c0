import type { Arrival } from './reply.ts';

/** Milliseconds from the upstream's sending of each delta to its arrival. */
export function delaysOf(arrivals: readonly Arrival[]): number[] {
  return arrivals.map(({ sentAt, receivedAt }) => (receivedAt - sentAt) / 1000);
}

/** Milliseconds by which each pause between two deltas was longer than the one that the upstream made. */
export function extraGapsOf(arrivals: readonly Arrival[]): number[] {
  return arrivals.slice(1).map(({ sentAt, receivedAt }, index) => {
    const before = arrivals[index];
    return before === undefined ? 0 : (receivedAt - before.receivedAt - (sentAt - before.sentAt)) / 1000;
  });
}
