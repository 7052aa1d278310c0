import { createHash } from 'node:crypto';

/** The first `length` hexadecimal digits of SHA-256: a short stand-in that is the same on every run (R104). */
export function shortHash(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}
