import { repeated } from './answering.ts';

/** Numbers that come again with the same seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number; small ones are as likely as large ones, by their order of magnitude. */
  size(least: number, most: number): number {
    return Math.floor(least * (most / least) ** this.next());
  }

  pick<T>(list: readonly [T, ...T[]]): T {
    return list[Math.floor(this.next() * list.length)] ?? list[0];
  }

  get coin(): boolean {
    return this.next() < 0.5;
  }
}

/** What expressions, limits and parsers look for. */
const FRAGMENTS = [
  'a',
  ' ',
  '\n',
  '1',
  '1,',
  '-',
  '_',
  '"',
  '\\"',
  '\\',
  ',',
  '{',
  '[',
  '=',
  '<title',
  '<think>',
  'eyJ0123456789-',
  'Bearer ',
  'api_key=',
  'sk-',
  'https://a:b@',
  'claude-',
  '--',
  '[1m]',
  'é',
  '😀',
  '\u001b[31m',
  '\u202e',
  'prompt is too long: ',
  'maximum context length is 1',
  'tokens > ',
  'limit: 1 requested: ',
  'try again in ',
  'model not found ',
  'rate limit ',
  'insufficient_quota ',
  'tokens per min ',
] as const;

/** One to three fragments, repeated to so many letters. */
export function text(random: Random, letters: number): string {
  const unit = Array.from({ length: random.size(1, 4) }, () => random.pick(FRAGMENTS)).join('');
  return `${random.pick(FRAGMENTS)}${repeated(unit, letters)}${random.pick(FRAGMENTS)}`.slice(0, letters);
}

const ITEMS = ['{}', '[]', '1', '1.5e300', '"a"', '"\\""', '{"a":1}', '[[1]]', 'null', '{"type":"text"}'] as const;

/** A list in JSON, of so many bytes, of items that are large or small, or nested. */
export function list(random: Random, bytes: number): string {
  const levels = random.coin ? 0 : random.size(1, 5000);
  const item = random.next() < 0.2 ? JSON.stringify('x'.repeat(random.size(10, 100_000))) : random.pick(ITEMS);
  return `${'['.repeat(levels + 1)}${repeated(`${item},`, bytes)}${item}${']'.repeat(levels + 1)}`;
}

export const count = (random: Random): string =>
  random.pick([
    () => String(random.next() * 10 ** random.size(1, 308)),
    () => String(-random.size(1, 1e9)),
    () => `1e${random.size(1, 999)}`,
    () => JSON.stringify(text(random, random.size(1, 1000))),
    () => list(random, random.size(1, 1000)),
    () => random.pick(['null', 'true', '""', '0.5', '-0', 'NaN']),
  ])();

/** A name for the log, in which the sizes stand. */
export const named = (name: string, ...sizes: (string | number)[]): string => `${name} (${sizes.join(', ')})`;
