import type { IncomingMessage } from 'node:http';
import { ApiError } from '../core/errors.ts';

const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]', '::1'];

function hostName(host: string): string {
  const name = host.toLowerCase();
  if (name.startsWith('[')) return name.slice(0, name.indexOf(']') + 1);
  const colon = name.lastIndexOf(':');
  return colon === -1 ? name : name.slice(0, colon);
}

function countHeader(rawHeaders: readonly string[], name: string): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === name) count += 1;
  }
  return count;
}

/**
 * Refuses what a web page in the user's browser could send (R508): requests with an Origin, from another site, for another
 * Host (DNS rebinding), and every preflight. No CORS header is ever answered.
 */
export function createOriginCheck(names: readonly string[]): (request: IncomingMessage) => void {
  const allowed = new Set([...LOOPBACK_NAMES, ...names.map((name) => name.toLowerCase())]);
  return (request) => {
    const { headers } = request;
    if (countHeader(request.rawHeaders, 'host') > 1 || request.url?.startsWith('/') !== true) {
      throw new ApiError('invalid_request', 'the request must have one Host header and a path that begins with /');
    }
    if (headers.origin !== undefined || request.method === 'OPTIONS') {
      throw new ApiError('foreign_origin', 'requests from web pages are refused');
    }
    const site = headers['sec-fetch-site'];
    if (site === 'cross-site' || site === 'same-site') {
      throw new ApiError('foreign_origin', 'requests from other sites are refused');
    }
    const name = hostName(headers.host ?? '');
    if (!allowed.has(name)) {
      throw new ApiError(
        'foreign_origin',
        `the Host ${JSON.stringify(name.slice(0, 100))} is not this instance; add it to ALLOWED_HOSTS if it should be`,
      );
    }
  };
}
