import type { Guarantee } from '../guarantees.ts';

type More = Partial<Omit<Guarantee, 'id' | 'promise'>>;

/** A row of docs/RELIABILITY.md; its date is the day on which all were looked at, unless it has one of its own. */
export function guarantee(id: string, promise: string, more: More = {}): Guarantee {
  return { id, promise, date: '2026-11-20', ...more };
}
