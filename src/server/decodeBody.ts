import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';
import { ApiError } from '../core/errors.ts';

const DECODERS = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
};

/** Decodes a compressed request body; one that grows beyond the limit is refused while it is decoded (R510). */
export async function decodeBody(encoding: string, body: Buffer, maxBytes: number): Promise<Buffer> {
  const name = encoding.toLowerCase();
  if (name === 'identity' || name === '') return body;
  const decode = Object.hasOwn(DECODERS, name) ? DECODERS[name as keyof typeof DECODERS] : undefined;
  if (decode === undefined) {
    throw new ApiError(
      'wrong_content_type',
      `content-encoding ${name.slice(0, 40)} is not known; use gzip, deflate, br, zstd or none`,
    );
  }
  try {
    return await decode(body, { maxOutputLength: maxBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new ApiError('request_too_large', `the decoded body is larger than ${maxBytes} bytes (MAX_BODY_BYTES)`);
    }
    throw new ApiError('invalid_request', `the body is not valid ${name}`);
  }
}
