import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';

const DECODERS = new Map<string, () => Transform>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
  ['zstd', createZstdDecompress],
]);

/**
 * A decoder for an answer that is compressed although the request says `identity` (reliability U20); undefined for a plain one.
 * An unknown encoding counts as plain, and the answer then fails as being neither JSON nor events.
 */
export function createDecoder(encoding: string | string[] | undefined): Transform | undefined {
  return DECODERS.get(String(encoding ?? '').toLowerCase())?.();
}
