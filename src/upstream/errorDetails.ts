import type { ResponseHeaders } from './upstream.ts';

/** The client waits up to 60 s by itself and gives up at once above (measured), so short limits are not stretched over it. */
const CLIENT_WAIT_SECONDS = 60;
const SHORT_LIMIT_SECONDS = 300;

/** Letters of a body among which a pause is looked for. */
const SEARCHED = 16_384;

/** The time until a limit is renewed: a time since 1970 in milliseconds or seconds, else what is left of it. */
function parseReset(text: string, now: number): number | undefined {
  const value = Number(text);
  if (!(value >= 1e9)) return parseDuration(text);
  return Math.max(0, (value >= 1e12 ? value - now : value * 1000 - now) / 1000);
}
/** Nobody waits longer for an answer; what exceeds it is a mistake of the provider, and no clock could show the largest. */
const LONGEST_WAIT_SECONDS = 86_400;

/** `1.5`, `250ms`, `12s`, `6m0s`, `1h2m` in seconds. */
function parseDuration(text: string): number | undefined {
  const plain = Number(text);
  if (text.trim() !== '' && Number.isFinite(plain)) return plain;
  const units: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };
  let seconds = 0;
  let rest = text.trim();
  while (rest !== '') {
    const part = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)/.exec(rest);
    if (part === null) return undefined;
    seconds += Number(part[1]) * (units[part[2] ?? ''] ?? 0);
    rest = rest.slice(part[0].length);
  }
  return seconds;
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function fromHeaders(headers: ResponseHeaders, now: number): number | undefined {
  const milliseconds = Number(single(headers['retry-after-ms']) ?? Number.NaN);
  if (Number.isFinite(milliseconds)) return milliseconds / 1000;
  const value = single(headers['retry-after']);
  if (value !== undefined) {
    const seconds = parseDuration(value);
    if (seconds !== undefined) return seconds;
    const date = Date.parse(value);
    if (Number.isFinite(date)) return Math.max(0, (date - now) / 1000);
  }
  // Only the limit that is used up says how long to wait.
  for (const kind of ['requests', 'tokens']) {
    const reset = single(headers[`x-ratelimit-reset-${kind}`]);
    if (reset !== undefined && single(headers[`x-ratelimit-remaining-${kind}`]) === '0') return parseDuration(reset);
  }
  const reset = single(headers['x-ratelimit-reset']);
  const remaining = single(headers['x-ratelimit-remaining']) ?? '0';
  return reset !== undefined && remaining === '0' ? parseReset(reset, now) : undefined;
}

/** Where a pause stands beside the words of an error: RetryInfo of Google's APIs, and headers of a provider behind the provider. */
function fromBody(body: string, now: number): number | undefined {
  const searched = body.slice(0, SEARCHED);
  const delay = /"retryDelay\\?":\s{0,4}\\?"(\d{1,9}(?:\.\d{1,9})?s)/.exec(searched)?.[1];
  if (delay !== undefined) return parseDuration(delay);
  const reset = /"x-ratelimit-reset\\?":\s{0,4}\\?"?(\d{1,15})/i.exec(searched)?.[1];
  return reset === undefined ? undefined : parseReset(reset, now);
}

function fromText(text: string): number | undefined {
  const words = /(?:try again|retry)(?: after| in)?:?\s+(\d[\d.hms]*)\s*(s|sec|seconds?|m|minutes?)?/i.exec(text);
  if (words?.[1] === undefined) return undefined;
  const unit = words[2] ?? '';
  return parseDuration(words[1].replace(/\.$/, '') + (/[a-z]$/i.test(words[1]) ? '' : unit.charAt(0).toLowerCase()));
}

/**
 * How long the provider asks to wait, in whole seconds: from its headers, else from its words. A limit of minutes is
 * shortened to what the client waits by itself; one of hours is kept, so that the client stops and says so, up to a day.
 * Undefined for what is no pause, as a negative number.
 */
export function readRetryAfter(headers: ResponseHeaders, text: string, now: number, body = text): number | undefined {
  const seconds = fromHeaders(headers, now) ?? fromText(text) ?? fromBody(body, now);
  if (seconds === undefined || !Number.isFinite(seconds) || seconds < 0) return undefined;
  if (seconds > CLIENT_WAIT_SECONDS && seconds <= SHORT_LIMIT_SECONDS) return CLIENT_WAIT_SECONDS;
  return Math.ceil(Math.min(seconds, LONGEST_WAIT_SECONDS));
}
