import { request as httpRequest } from 'node:http';
import type { JsonObject } from '../../../src/core/json.ts';
import { type Answer, failedAnswer, readAnswer } from './answer.ts';

/** How to reach an instance. */
export interface Door {
  /** `http://127.0.0.1:8081` */
  readonly baseUrl: string;
  /** Headers that carry the instance's token and the user's key, as far as there are any. */
  readonly credentials: Readonly<Record<string, string>>;
  /** How long one answer may take, in ms. */
  readonly timeoutMs: number;
}

const FIRST_PIECE = 'content_block_delta';

/** Sends one streamed message on the way that Claude Code takes. Never rejects: what goes wrong is the answer's error. */
export function ask({ baseUrl, credentials, timeoutMs }: Door, fields: JsonObject): Promise<Answer> {
  const body = JSON.stringify({ ...fields, stream: true });
  const startedAt = performance.now();
  const elapsed = () => Math.round(performance.now() - startedAt);
  return new Promise((resolve) => {
    const request = httpRequest(`${baseUrl}/v1/messages`, {
      method: 'POST',
      agent: false,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'anthropic-version': '2023-06-01',
        'user-agent': 'claude-code-proxy manage test',
        ...credentials,
      },
    });
    const fail = (type: string, message: string) => {
      clearTimeout(deadline);
      resolve(failedAnswer({ type, message }, elapsed()));
      request.destroy();
    };
    const deadline = setTimeout(() => {
      fail('timeout_error', `no whole answer within ${timeoutMs / 1000} s; --timeout SECONDS allows more`);
    }, timeoutMs);
    const onBroken = (error: NodeJS.ErrnoException) =>
      fail('api_error', `the instance broke the connection (${error.code ?? error.message})`);
    request.on('error', onBroken);
    request.once('response', (response) => {
      let text = '';
      let firstPieceMs: number | undefined;
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (firstPieceMs === undefined && text.includes(FIRST_PIECE)) firstPieceMs = elapsed();
      });
      response.once('error', onBroken);
      response.once('end', () => {
        clearTimeout(deadline);
        resolve(readAnswer(text, { firstPieceMs, totalMs: elapsed() }));
      });
    });
    request.end(body);
  });
}
