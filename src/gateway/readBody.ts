import { ApiError } from '../core/errors.ts';

const BYTE_ORDER_MARK = 0xfeff;

/** Parses a JSON body; throws `invalid_request` with the parser's words about where it fails (R105). */
export function readBody(bytes: Buffer): unknown {
  const text = bytes.toString('utf8');
  try {
    return JSON.parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/ in JSON.*| \(line.*|, ".*/s, '') : '';
    throw new ApiError('invalid_request', `the body is not JSON: ${reason}`);
  }
}
