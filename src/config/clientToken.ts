import type { FoundSecret } from './findSecret.ts';
import { isTrivialToken } from './placeholder.ts';
import type { Place, Report } from './report.ts';

const SHORTEST_PUBLIC_TOKEN = 24;

/** Whether an address can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** Checks what keeps strangers out: a long token, and no trivial one, where others can reach the port (A2, R509). */
export function checkClientToken(
  token: FoundSecret | undefined,
  host: { readonly name: string; readonly place: Place },
  keyIsPassedThrough: boolean,
  report: Report,
): void {
  const how = `Set at least ${SHORTEST_PUBLIC_TOKEN} random characters, for instance from: openssl rand -hex 24`;
  if (token === undefined) {
    if (!isLoopback(host.name))
      report.error(
        host.place,
        `"${host.name}", an address that others can reach, without ANTHROPIC_API_KEY`,
        `Set HOST=127.0.0.1, or ANTHROPIC_API_KEY. ${how}`,
      );
    return;
  }
  if (isTrivialToken(token.value)) {
    // On this machine alone none is needed, so that one that protects nothing does no harm.
    const tell = isLoopback(host.name) ? report.warning : report.error;
    tell(token.variable, 'a placeholder or a word that anybody would try', `${how}; or leave it empty.`);
  } else if (!isLoopback(host.name) && token.value.length < SHORTEST_PUBLIC_TOKEN)
    report.error(
      token.variable,
      `a token of ${token.value.length} characters on an address that others can reach`,
      how,
    );
  if (keyIsPassedThrough)
    report.warning(
      token.variable,
      'a token for the clients, but no provider key',
      'Set OPENAI_API_KEY; else each client must send the token and a provider key of its own.',
    );
}
