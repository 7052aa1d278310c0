import { Agent as PlainAgent, request as requestPlain } from 'node:http';
import { request as requestSecure, Agent as SecureAgent } from 'node:https';
import type { SecureContext } from 'node:tls';
import type { NetworkProxy } from '../config/config.ts';
import { asNumber, isObject, parseObject } from '../core/json.ts';
import { describeError } from '../telemetry/log/queue.ts';

/** How a collector is reached. */
export interface CollectorOptions {
  /** In full. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly trust: SecureContext | undefined;
  readonly networkProxy: NetworkProxy;
  readonly userAgent: string;
}

/** What came of sending: `again` for what may pass, after a time where the collector has named one. */
export type ExportResult =
  | { readonly kind: 'sent'; readonly rejected: number }
  | { readonly kind: 'again'; readonly afterMs: number | undefined; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** By the protocol these may be sent again, and no others. */
const RETRYABLE = [429, 502, 503, 504];
/** A collector's answer is a few words; more is not read. */
const MOST_ANSWER = 16_384;

/** Sends requests to an OpenTelemetry collector by HTTP and JSON. */
export class Collector {
  readonly #options: CollectorOptions;
  readonly #agent: PlainAgent | SecureAgent;

  constructor(options: CollectorOptions) {
    const { url, trust, networkProxy } = options;
    const { httpProxy, httpsProxy, noProxy } = networkProxy;
    this.#options = options;
    const proxyEnv = {
      ...(httpProxy === undefined ? {} : { HTTP_PROXY: httpProxy }),
      ...(httpsProxy === undefined ? {} : { HTTPS_PROXY: httpsProxy }),
      ...(noProxy === undefined ? {} : { NO_PROXY: noProxy }),
    };
    const connection = { keepAlive: true, maxSockets: 1, proxyEnv };
    this.#agent = url.startsWith('https:')
      ? new SecureAgent({ ...connection, ...(trust === undefined ? {} : { secureContext: trust }) })
      : new PlainAgent(connection);
  }

  /** Never rejects. */
  send(body: string): Promise<ExportResult> {
    const { url, headers, timeoutMs, userAgent } = this.#options;
    return new Promise((resolve) => {
      const isSecure = url.startsWith('https:');
      const request = (isSecure ? requestSecure : requestPlain)(url, {
        method: 'POST',
        agent: this.#agent,
        // Of the whole exchange, however slowly it goes on.
        signal: AbortSignal.timeout(timeoutMs),
        headers: { 'user-agent': userAgent, ...headers, 'content-type': 'application/json' },
      });
      request.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => {
          if (text.length < MOST_ANSWER) text += piece;
        });
        response.on('end', () => resolve(readAnswer(response.statusCode ?? 0, response.headers['retry-after'], text)));
        response.on('error', (error) => resolve({ kind: 'again', afterMs: undefined, reason: describeError(error) }));
      });
      request.on('error', (error) => {
        const reason = error.name === 'AbortError' ? `no answer within ${timeoutMs / 1000} s` : describeError(error);
        resolve({ kind: 'again', afterMs: undefined, reason });
      });
      request.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function readAnswer(status: number, retryAfter: string | undefined, text: string): ExportResult {
  const reason = `the collector answers ${status}`;
  if (RETRYABLE.includes(status)) return { kind: 'again', afterMs: readRetryAfter(retryAfter, Date.now()), reason };
  if (status < 200 || status > 299) return { kind: 'refused', reason };
  const partial = parseObject(text)?.['partialSuccess'];
  const rejected = isObject(partial) ? (partial['rejectedSpans'] ?? partial['rejectedDataPoints']) : undefined;
  return { kind: 'sent', rejected: asNumber(Number(rejected ?? 0)) ?? 0 };
}

const LONGEST_WAIT_MS = 300_000;

/** A `Retry-After` header, in seconds or as a date, in ms from now; at most five minutes. */
export function readRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), LONGEST_WAIT_MS) : undefined;
}
