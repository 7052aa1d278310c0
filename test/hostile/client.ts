import { request as httpRequest } from 'node:http';
import { expect } from 'vitest';
import { checkEvents } from '../helpers/eventGrammar.ts';

/** What a client sends. */
export interface Question {
  /** `/v1/messages` unless given. */
  readonly path?: string;
  /** `POST` unless given. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text or bytes are sent as they are, anything else as JSON. */
  readonly body: unknown;
  /** Sent in blocks, so that nobody knows its size before. */
  readonly isChunked?: boolean;
  /** Leaves so long after the question, whatever has come. */
  readonly leavesAfterMs?: number;
  /** Lets the answer wait in the buffers of everybody on the way. */
  readonly readsNothing?: boolean;
}

export interface Answer {
  /** Of the question. */
  readonly path: string;
  /** 0 when there was none. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** How the connection ended, where that was not the end of the answer. */
  readonly broken: string | undefined;
}

/** A question to the model; streamed unless the fields say otherwise. */
export function question(model: string, fields: Readonly<Record<string, unknown>> = {}): Question {
  return {
    body: { model, max_tokens: 100, stream: true, messages: [{ role: 'user', content: 'hello' }], ...fields },
  };
}

/** The same, answered in one piece. */
export const wholeQuestion = (model: string, fields: Readonly<Record<string, unknown>> = {}): Question =>
  question(model, { stream: false, ...fields });

const BLOCK = 16_384;

/** Asks and reads the answer to its end. Never rejects: how it failed is part of the answer. */
export function ask(url: string, token: string, { path = '/v1/messages', ...sent }: Question): Promise<Answer> {
  const { method = 'POST', body, headers, isChunked = false, leavesAfterMs, readsNothing = false } = sent;
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let status = 0;
    let got: Answer['headers'] = {};
    const end = (broken?: string) => {
      resolve({ path, status, headers: got, text: Buffer.concat(parts).toString('utf8'), broken });
    };
    const request = httpRequest(`${url}${path}`, {
      method,
      agent: false,
      headers: {
        'content-type': 'application/json',
        'x-api-key': token,
        ...(isChunked ? {} : { 'content-length': bytes.length }),
        ...headers,
      },
    });
    request.on('response', (response) => {
      status = response.statusCode ?? 0;
      got = response.headers;
      if (!readsNothing) response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => end());
      response.on('error', (error) => end(error.message));
    });
    // Who is refused before all is sent may still read why.
    request.on('error', (error) => {
      if (status === 0) end(error.message);
    });
    if (isChunked) {
      for (let from = 0; from < bytes.length; from += BLOCK) request.write(bytes.subarray(from, from + BLOCK));
      request.end();
    } else {
      request.end(bytes);
    }
    if (leavesAfterMs !== undefined) {
      setTimeout(() => {
        request.destroy();
        end('left');
      }, leavesAfterMs);
    }
  });
}

export const COUNT_TOKENS = '/v1/messages/count_tokens';
export const CHAT_COMPLETIONS = '/v1/chat/completions';

/** Says in words of its own how the provider answers. */
const TEST_CONNECTION = '/test-connection';

const PING = 'event: ping\ndata: {"type":"ping"}\n\n';

/** Claude Code repeats a request no later than after a day; a longer pause is no answer. */
const LONGEST_PAUSE_S = 86_400;

/** A message of an error is read by a person. */
const LONGEST_MESSAGE = 4000;

/**
 * Fails where an answer is not one of Anthropic's: a message, a count, an event stream of the right grammar, or an error that says
 * more than that the proxy failed.
 */
export function expectLegal({ path, status, headers, text, broken }: Answer): void {
  expect(broken, `the connection broke after status ${status}`).toBeUndefined();
  // What its provider says goes on to a client of OpenAI's API as it is.
  if (path === CHAT_COMPLETIONS && status === 200) return;
  const pause = headers['retry-after'];
  if (pause !== undefined) {
    expect(pause, 'retry-after').toMatch(/^\d+$/);
    expect(Number(pause), 'retry-after').toBeLessThanOrEqual(LONGEST_PAUSE_S);
  }
  if (String(headers['content-type']).startsWith('text/event-stream')) {
    expect(status).toBe(200);
    const found = checkEvents(text.replaceAll(PING, ''));
    expect(found, 'an empty event stream').not.toEqual([]);
    for (const { data } of found) expectWholeNumbers(data);
    return;
  }
  const body: unknown = JSON.parse(text);
  if (path === TEST_CONNECTION) return;
  if (status === 200) {
    if (path === '/v1/messages') expectMessage(body, text.slice(0, 200));
    if (path === COUNT_TOKENS) expectWholeNumbers({ usage: body });
    return;
  }
  expect(status).toBeGreaterThanOrEqual(400);
  // Clients of OpenAI's API get its errors.
  const { type, error } = body as { type?: unknown; error?: { type?: unknown; message?: unknown } };
  if (path !== CHAT_COMPLETIONS) expect(type).toBe('error');
  expect(error?.type).toEqual(expect.any(String));
  const message = String(error?.message);
  expect(message, 'a fault of our own').not.toContain('the proxy failed');
  expect(message.length, 'the length of the message').toBeLessThanOrEqual(LONGEST_MESSAGE);
}

function expectMessage(body: unknown, beginning: string): void {
  expect(body, beginning).toMatchObject({
    type: 'message',
    role: 'assistant',
    content: expect.any(Array),
    stop_reason: expect.any(String),
    usage: { input_tokens: expect.any(Number), output_tokens: expect.any(Number) },
  });
  expectWholeNumbers(body as Record<string, unknown>);
}

/** Counts of tokens, wherever a message or an event has them. */
function expectWholeNumbers(data: Readonly<Record<string, unknown>>): void {
  const message = data['message'] as { usage?: unknown } | undefined;
  for (const usage of [data['usage'], message?.usage]) {
    for (const [name, count] of Object.entries(usage ?? {})) {
      if (typeof count !== 'number') continue;
      expect(Number.isSafeInteger(count) && count >= 0, `${name}: ${count} is no count of tokens`).toBe(true);
    }
  }
}
