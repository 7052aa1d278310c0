import type { NetworkProxy } from './config.ts';

/** Passwords in the addresses of network proxies, for redaction: as written and decoded. */
export function secretsInProxy({ httpProxy, httpsProxy }: NetworkProxy): readonly string[] {
  return [httpProxy, httpsProxy].flatMap((address) => {
    const password = address === undefined ? '' : (URL.parse(address)?.password ?? '');
    return password === '' ? [] : [password, decodeURIComponent(password)];
  });
}
