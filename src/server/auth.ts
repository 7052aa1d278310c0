import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The credentials a client presents: `x-api-key` and the bearer token, one or both (R507). */
function readCredentials(headers: IncomingHttpHeaders): string[] {
  const credentials: string[] = [];
  const key = headers['x-api-key'];
  if (typeof key === 'string' && key !== '') credentials.push(key);
  const bearer = /^Bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined && !credentials.includes(bearer)) credentials.push(bearer);
  return credentials;
}

export interface Authenticator {
  /** Whether there is any credential that could be the instance's token. */
  isTried(headers: IncomingHttpHeaders): boolean;
  /** Throws `unauthenticated` unless one of the credentials is the instance's token. */
  check(headers: IncomingHttpHeaders): void;
  /** The client's own provider key, for an instance that has none: a credential that is not the instance's token. */
  providerKey(headers: IncomingHttpHeaders): string | undefined;
  /** The headers that carry credentials, as they came, without those that carry the instance's token. */
  credentials(headers: IncomingHttpHeaders): Record<string, string>;
}

/** Compares hashes in constant time, so that neither length nor content of the token can be measured (R507, A3). */
export function createAuthenticator(token: Secret | undefined): Authenticator {
  const expected = token === undefined ? undefined : digest(token.reveal());
  const isToken = (credential: string) => expected !== undefined && timingSafeEqual(digest(credential), expected);
  return {
    isTried: (headers) => readCredentials(headers).length > 0,
    check(headers) {
      if (expected === undefined) return;
      const credentials = readCredentials(headers);
      if (credentials.some(isToken)) return;
      throw new ApiError(
        'unauthenticated',
        credentials.length === 0
          ? 'this instance needs a token: set ANTHROPIC_AUTH_TOKEN to the ANTHROPIC_API_KEY of its env file'
          : 'the token is not the ANTHROPIC_API_KEY of this instance’s env file',
      );
    },
    providerKey: (headers) => readCredentials(headers).find((credential) => !isToken(credential)),
    credentials: (headers) => {
      const { 'x-api-key': key, authorization } = headers;
      return {
        ...(typeof key === 'string' && key !== '' && !isToken(key) ? { 'x-api-key': key } : {}),
        ...(authorization === undefined || readCredentials({ authorization }).some(isToken) ? {} : { authorization }),
      };
    },
  };
}
