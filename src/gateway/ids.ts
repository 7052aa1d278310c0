import { randomFillSync } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const LENGTH = 24;
// Bytes from 248 on are thrown away, so that all 62 characters are equally likely.
const FAIR_LIMIT = 248;

const pool = Buffer.alloc(4096);
let position = pool.length;

function nextByte(): number {
  if (position === pool.length) {
    randomFillSync(pool);
    position = 0;
  }
  return pool[position++] ?? 0;
}

/** Where an id is put together: a string that grew letter by letter would be a chain of as many objects for as long as its stream lasts. */
const letters = Buffer.alloc(LENGTH);

/** A new id of Anthropic's form: the prefix (`msg_`, `toolu_`, `req_`) and 24 random letters and digits (R131, R201). */
export function createId(prefix: string): string {
  let count = 0;
  while (count < LENGTH) {
    const byte = nextByte();
    if (byte < FAIR_LIMIT) letters[count++] = ALPHABET.charCodeAt(byte % ALPHABET.length);
  }
  return prefix + letters.toString('latin1');
}
