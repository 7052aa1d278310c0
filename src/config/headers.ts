import type { Report } from './diagnostics.ts';
import type { Variables } from './env/variables.ts';

const PREFIX = 'CUSTOM_HEADER_';
/** RFC 9110: a token. */
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
/** RFC 9110: printable Latin-1 with blanks and tabs inside. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Headers that describe the connection or the body, which are the HTTP client's own. */
const RESERVED = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Why a header cannot be sent; undefined when it can. The name is in lower case. */
export function headerFault(name: string, value: string): { readonly found: string; readonly fix: string } | undefined {
  if (!HEADER_NAME.test(name))
    return { found: 'a name that gives no header', fix: 'Write letters, digits and dashes, as in x-title.' };
  if (RESERVED.has(name))
    return { found: `the header ${name}, which belongs to the connection`, fix: 'Remove the line.' };
  if (!HEADER_VALUE.test(value))
    return {
      found: 'a value with a line break or with letters beyond Latin-1',
      fix: 'Write one line of Latin-1 text.',
    };
  return undefined;
}

/** `CUSTOM_HEADER_X_API_KEY` -> `x-api-key`. Names are lower case, so that each replaces a header of the same name. */
export function readCustomHeaders(variables: Variables, report: Report): Readonly<Record<string, string>> {
  const headers: [string, string][] = [];
  for (const variable of variables.values()) {
    if (!variable.key.startsWith(PREFIX)) continue;
    const name = variable.key.slice(PREFIX.length).toLowerCase().replaceAll('_', '-');
    const value = variable.value.trim();
    const fault = headerFault(name, value);
    if (fault !== undefined) report.error(variable, fault.found, fault.fix);
    else if (value !== '') headers.push([name, value]);
  }
  return Object.fromEntries(headers);
}

/** Values of headers that carry credentials, for redaction: whole, and without a scheme like `Bearer`. */
export function secretsInHeaders(headers: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(headers)
    .filter(([name]) => /auth|key|token|secret|cookie/.test(name))
    .flatMap(([, value]) => [value, ...value.split(/\s+/).slice(1)]);
}
