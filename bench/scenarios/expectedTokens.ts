import { BYTES_PER_TOKEN } from '../upstream/serveConnection.ts';

/** A translation words things differently, but what is much shorter has lost something. */
const LEAST_SHARE = 0.85;

/** The least that the upstream must have counted for a large body. */
export function expectedTokens(body: string): number {
  return (LEAST_SHARE * Buffer.byteLength(body)) / BYTES_PER_TOKEN;
}
