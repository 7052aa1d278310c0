import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ApiError } from '../../src/core/errors.ts';
import {
  type AnthropicServer,
  type NativeBehaviour,
  nativeError,
  nativeEvent,
  nativeJson,
  nativeStream,
  nativeTurn,
  openNative,
  startAnthropicServer,
} from '../helpers/anthropicServer.ts';
import { type Answer, call, message, open, startApp, type TestApp } from '../helpers/startApp.ts';

const START = nativeEvent('message_start', { message: { model: 'm', usage: { input_tokens: 1, output_tokens: 1 } } });
const TEXT = nativeEvent('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'half' } });
const STOP = nativeEvent('message_stop');
const PING = nativeEvent('ping');
const OVERLOADED = nativeEvent('error', { error: { type: 'overloaded_error', message: 'Overloaded', details: null } });

const fine = nativeTurn({ text: 'fine' });
const inTurn = (...behaviours: NativeBehaviour[]): NativeBehaviour => {
  let next = 0;
  return (response, request) => {
    const behave = behaviours[Math.min(next, behaviours.length - 1)];
    next += 1;
    return behave?.(response, request);
  };
};
/** Sends the text, then breaks the connection off. */
const breaks =
  (text: string): NativeBehaviour =>
  (response) => {
    openNative(response);
    response.write(text, () => response.destroy());
  };
/** Sends the text and then nothing more. */
const silent =
  (text: string): NativeBehaviour =>
  (response) => {
    openNative(response);
    response.write(text);
  };

const refusals: Record<string, { behave: NativeBehaviour; status: number; type: string; words: string }> = {
  'a-role': {
    behave: nativeError(400, 'invalid_request_error', "messages.1.role: Input should be 'user' or 'assistant'"),
    status: 400,
    type: 'invalid_request_error',
    words: "messages.1.role: Input should be 'user' or 'assistant'",
  },
  effort: {
    behave: nativeError(400, 'invalid_request_error', 'This model does not support the effort parameter.'),
    status: 400,
    type: 'invalid_request_error',
    words: 'This model does not support the effort parameter.',
  },
  'output-limit': {
    behave: nativeError(
      400,
      'invalid_request_error',
      'max_tokens: 32000 > 8192, which is the maximum allowed number of output tokens for m',
    ),
    status: 400,
    type: 'invalid_request_error',
    words: 'max_tokens: 32000 > 8192, which is the maximum allowed number of output tokens for m',
  },
  credit: {
    behave: nativeError(400, 'invalid_request_error', 'Your credit balance is too low. Please go to Plans & Billing.'),
    status: 400,
    type: 'invalid_request_error',
    words: 'Your credit balance is too low. Please go to Plans & Billing.',
  },
  key: {
    behave: nativeError(401, 'authentication_error', 'invalid x-api-key: key-of-the-provider'),
    status: 401,
    type: 'authentication_error',
    words: 'invalid x-api-key: **** (the provider rejected OPENAI_API_KEY) (./manage key test)',
  },
  forbidden: {
    behave: nativeError(403, 'permission_error', 'not for you'),
    status: 403,
    type: 'permission_error',
    words: 'not for you',
  },
  missing: {
    behave: nativeError(404, 'not_found_error', 'model: nobody'),
    status: 404,
    type: 'not_found_error',
    words: 'model: nobody',
  },
  large: {
    behave: nativeError(413, 'request_too_large', 'Request exceeds the maximum size'),
    status: 413,
    type: 'request_too_large',
    words: 'Request exceeds the maximum size',
  },
  limited: {
    behave: nativeError(429, 'rate_limit_error', 'slow down', { 'retry-after': '30' }),
    status: 429,
    type: 'rate_limit_error',
    words: 'slow down',
  },
  'in-another-form': {
    behave: nativeJson({ error: { code: 'x', message: 'no such thing' } }, 400),
    status: 400,
    type: 'invalid_request_error',
    words: '[test 400] no such thing',
  },
  page: {
    behave: (response) => {
      response.writeHead(404, { 'content-type': 'text/html' }).end('<html><title>Lost</title></html>');
    },
    status: 502,
    type: 'api_error',
    words: '[test 404] no Messages API at this address, check OPENAI_BASE_URL: Lost',
  },
  'first-event': {
    behave: nativeStream(
      PING,
      nativeEvent('error', { error: { type: 'invalid_request_error', message: 'bad input' } }),
    ),
    status: 400,
    type: 'invalid_request_error',
    words: 'bad input',
  },
  'first-event-in-words': {
    behave: nativeStream('event: error\ndata: the prompt exceeds the context length of 8 tokens\n\n'),
    status: 400,
    type: 'invalid_request_error',
    words: 'prompt is too long',
  },
  'error-in-200': {
    behave: nativeJson({ type: 'error', error: { type: 'permission_error', message: 'not on this plan' } }),
    status: 403,
    type: 'permission_error',
    words: 'not on this plan',
  },
};

const overflows: Record<string, [NativeBehaviour, string]> = {
  'their-own-words': [
    nativeError(400, 'invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'),
    'prompt is too long: 210000 tokens > 200000 maximum',
  ],
  'other-words': [
    nativeError(400, 'invalid_request_error', 'Your request exceeded model token limit : 262144 (requested: 300000)'),
    'prompt is too long: 300000 tokens > 262144 maximum',
  ],
  'no-numbers': [
    nativeError(400, 'invalid_request_error', 'invalid params, context window exceeds limit (2013)'),
    'prompt is too long',
  ],
  'in-the-stream': [
    nativeStream(
      nativeEvent('error', {
        error: { type: 'invalid_request_error', message: 'prompt is too long: 9 tokens > 8 maximum' },
      }),
    ),
    'prompt is too long: 9 tokens > 8 maximum',
  ],
  'output-does-not-fit': [
    nativeError(
      400,
      'invalid_request_error',
      'input length and `max_tokens` exceed context limit: 188059 + 32000 > 200000, decrease input length or `max_tokens` and try again',
    ),
    'input length and `max_tokens` exceed context limit: 188059 + 32000 > 200000, decrease input length or `max_tokens` and try again',
  ],
};

/** Refusals that the client would not understand by their words. */
const classified: Record<string, readonly [NativeBehaviour, number, string, string]> = {
  'no-projector': [
    nativeError(500, 'api_error', 'image input is not supported - hint: you may need to provide the mmproj'),
    400,
    'invalid_request_error',
    'capability_rejected: image_block',
  ],
  'text-only': [
    nativeError(400, 'invalid_request_error', 'messages[3]: unknown variant `image_url`, expected `text`'),
    400,
    'invalid_request_error',
    'capability_rejected: image_block',
  ],
  'one-sense': [
    nativeError(400, 'api_error', 'Multimodal data provided, but model does not support multimodal requests.'),
    400,
    'invalid_request_error',
    'capability_rejected: image_block',
  ],
  'period-used-up': [
    nativeError(429, 'rate_limit_error', "You've reached your usage limit for this period."),
    402,
    'billing_error',
    "[test 429] You've reached your usage limit for this period.",
  ],
  'hours-used-up': [
    nativeError(429, 'rate_limit_error', 'Usage limit reached for 5 hour. Your limit will reset at 2026-11-30'),
    402,
    'billing_error',
    '[test 429] Usage limit reached for 5 hour. Your limit will reset at 2026-11-30',
  ],
  'account-used-up': [
    nativeError(400, 'invalid_request_error', 'You have reached your specified API usage limits.'),
    402,
    'billing_error',
    '[test 400] You have reached your specified API usage limits.',
  ],
};

const broken = nativeError(500, 'api_error', 'Internal server error');
const overloaded = nativeError(529, 'overloaded_error', 'Overloaded');
/** What late answers wait for. */
let limiter = Promise.withResolvers<void>();
let server: AnthropicServer;
let app: TestApp;

beforeAll(async () => {
  server = await startAnthropicServer({
    ...Object.fromEntries(Object.entries(refusals).map(([name, { behave }]) => [name, behave])),
    ...Object.fromEntries(Object.entries(overflows).map(([name, [behave]]) => [name, behave])),
    ...Object.fromEntries(Object.entries(classified).map(([name, [behave]]) => [name, behave])),
    fine,
    broken,
    overloaded,
    'not-to-repeat': nativeError(529, 'overloaded_error', 'Overloaded', { 'x-should-retry': 'false' }),
    'broken-then-fine': inTurn(broken, fine),
    'overloaded-then-fine': inTurn(overloaded, fine),
    'limited-then-fine': inTurn(nativeError(429, 'rate_limit_error', 'slow down', { 'retry-after': '0' }), fine),
    'error-first-then-fine': inTurn(nativeStream(PING, OVERLOADED), fine),
    'reset-then-fine': inTurn((response) => void response.destroy(), fine),
    'empty-then-fine': inTurn(nativeStream(''), fine),
    'error-later': nativeStream(START, TEXT, OVERLOADED),
    'error-at-once': nativeStream(START + OVERLOADED),
    'error-without-name': nativeStream(START, 'data: {"error":{"code":"1305","message":"busy"}}\n\n'),
    'ends-early': nativeStream(START, TEXT),
    'ends-in-a-frame': nativeStream(START, TEXT.slice(0, 40)),
    'ends-without-the-last-line': nativeStream(START, STOP.slice(0, -1)),
    'breaks-in-a-frame': breaks(START + TEXT.slice(0, 40)),
    'breaks-after-the-end': breaks(START + STOP),
    'stays-open': silent(START + STOP),
    'silent-before': silent(''),
    'silent-in-a-frame': silent(START + TEXT.slice(0, 40)),
    'silent-after-a-ping': silent(PING),
    'never-answers': () => {},
    'error-late': async (response) => {
      openNative(response);
      await limiter.promise;
      response.end(OVERLOADED);
    },
    'json-late': async (response, request) => {
      await limiter.promise;
      await nativeJson({ type: 'message', content: [] })(response, request);
    },
  });
  app = await startApp({
    PROVIDER: 'custom-anthropic',
    OPENAI_BASE_URL: server.url,
    BIG_MODEL: 'fine',
    QUIRK_USAGE_WAIT_MS: '100',
  });
});

afterAll(async () => {
  await app.close();
  await server.close();
});

beforeEach(() => {
  limiter = Promise.withResolvers();
  server.requests.length = 0;
});

const ask = (model: string, stream = true, to = app) => call(`${to.url}/v1/messages`, message(model, { stream }));
const errorOf = (answer: Answer) => JSON.parse(answer.text).error;
const lastData = (text: string) => JSON.parse(text.trim().split('data: ').at(-1) ?? '');

describe('before the first event', () => {
  test.each(Object.keys(refusals))(
    'R317 R401 R402 %s keeps status, type and words, with the proxy’s request id',
    async (name) => {
      const { status, type, words } = refusals[name] ?? {};
      for (const stream of [true, false]) {
        const answer = await ask(name, stream);
        expect(answer.status).toBe(status);
        expect(JSON.parse(answer.text)).toEqual({
          type: 'error',
          error: { type, message: words },
          request_id: answer.headers['request-id'],
        });
        expect(answer.text).not.toMatch(/key-of-the-provider|req_of_the_provider/);
      }
      expect(server.requests).toHaveLength(2);
    },
  );

  test.each(Object.keys(overflows))(
    'R404 R405 an overflow in %s is reported so that the client compacts',
    async (name) => {
      const answer = await ask(name);
      expect(answer.status).toBe(400);
      expect(errorOf(answer)).toEqual({ type: 'invalid_request_error', message: overflows[name]?.[1] });
      expect(server.requests).toHaveLength(1);
    },
  );

  test.each(Object.keys(classified))('R402 R406 R408 %s is said in the words that the client acts on', async (name) => {
    const [, status, type, words] = classified[name] ?? [];
    const answer = await ask(name);
    expect(answer.status).toBe(status);
    expect(errorOf(answer)).toEqual({ type, message: words });
    expect(server.requests).toHaveLength(1);
  });

  test('R403 R408 what the provider says about repeating is handed on', async () => {
    expect((await ask('key')).headers['x-should-retry']).toBe('false');
    expect((await ask('limited')).headers['retry-after']).toBe('30');
    expect((await ask('not-to-repeat')).headers['x-should-retry']).toBe('false');
    expect((await ask('forbidden')).headers['retry-after']).toBeUndefined();
  });

  test.each([
    ['broken', 500, 'api_error', 3],
    ['overloaded', 529, 'overloaded_error', 3],
    ['not-to-repeat', 529, 'overloaded_error', 1],
  ])('R409 %s is repeated a few times and then reported as it is', async (model, status, type, asked) => {
    const answer = await ask(model);
    expect(answer.status).toBe(status);
    expect(errorOf(answer).type).toBe(type);
    expect(server.requests).toHaveLength(asked);
  });

  test.each([
    'broken-then-fine',
    'overloaded-then-fine',
    'limited-then-fine',
    'error-first-then-fine',
    'reset-then-fine',
    'empty-then-fine',
  ])('R409 %s is repeated and answered', async (model) => {
    const answer = await ask(model);
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('"text":"fine"');
    expect(server.requests).toHaveLength(2);
    expect(server.requests[0]?.bytes).toEqual(server.requests[1]?.bytes);
  });
});

describe('after the first event', () => {
  test.each([
    ['error-later', START + TEXT + OVERLOADED],
    ['error-at-once', START + OVERLOADED],
  ])('R318 %s comes through as it is, and nothing after it', async (model, text) => {
    const record = app.nextRecord();
    const answer = await ask(model);
    expect(answer.status).toBe(200);
    expect(answer.text).toBe(text);
    expect(await record).toMatchObject({
      outcome: 'interrupted',
      error_type: 'overloaded_error',
      error_message: 'Overloaded',
    });
    expect(server.requests).toHaveLength(1);
  });

  test('R318 an error that the client would not take for one is sent once more as an error event', async () => {
    const answer = await ask('error-without-name');
    expect(answer.text).toContain('"busy"}}\n\nevent: error\ndata: ');
    expect(lastData(answer.text)).toMatchObject({ type: 'error', error: { message: '[test] busy' } });
  });

  test.each([
    ['ends-early', START + TEXT],
    ['ends-in-a-frame', START],
    ['breaks-in-a-frame', START],
  ])('R316 R319 %s ends in an error event behind the last whole frame', async (model, text) => {
    const record = app.nextRecord();
    const answer = await ask(model);
    expect(answer.text.slice(0, text.length)).toBe(text);
    expect(answer.text.slice(text.length)).toMatch(/^event: error\ndata: \{[^\n]*"overloaded_error"[^\n]*\}\n\n$/);
    expect(await record).toMatchObject({ outcome: 'interrupted', status: 200 });
  });

  test.each([
    ['ends-without-the-last-line', START + STOP.slice(0, -1)],
    ['breaks-after-the-end', START + STOP],
    ['stays-open', START + STOP],
  ])('R316 %s is complete', async (model, text) => {
    const record = app.nextRecord();
    expect((await ask(model)).text).toBe(text);
    expect(await record).toMatchObject({ outcome: 'ok' });
  });
});

describe('silence', () => {
  const quick = {
    PROVIDER: 'custom-anthropic',
    BIG_MODEL: 'fine',
    QUIRK_HEADER_WAIT_MS: '100',
    QUIRK_PING_MS: '100',
    MAX_RETRIES: '0',
  };
  let impatient: TestApp;

  beforeAll(async () => {
    impatient = await startApp({ ...quick, OPENAI_BASE_URL: server.url });
  });

  afterAll(() => impatient.close());

  /** Reads until the text has this many pings, then leaves. */
  async function untilPings(model: string, count: number): Promise<string> {
    const response = await open(`${impatient.url}/v1/messages`, message(model, { stream: true }));
    let text = '';
    for await (const part of response) {
      text += String(part);
      if (text.split('event: ping').length > count) break;
    }
    return text;
  }

  const OUR_PING = 'event: ping\ndata: {"type":"ping"}\n\n';

  test.each(['never-answers', 'silent-before', 'silent-after-a-ping'])(
    'R321 a provider that says nothing (%s) is covered by pings',
    async (model) => {
      expect(await untilPings(model, 2)).toBe(OUR_PING.repeat(2));
    },
  );

  test('R321 pings stand between whole frames only', async () => {
    expect(await untilPings('silent-in-a-frame', 2)).toBe(START + OUR_PING.repeat(2));
  });

  /** The whole stream of a provider that answers only when the client has got a ping. */
  async function afterPing(model: string): Promise<string> {
    const response = await open(`${impatient.url}/v1/messages`, message(model, { stream: true }));
    let text = '';
    for await (const part of response) {
      text += String(part);
      limiter.resolve();
    }
    return text;
  }

  test('R317 an error after our pings is an error event', async () => {
    const text = await afterPing('error-late');
    expect(text.startsWith(OUR_PING)).toBe(true);
    expect(lastData(text)).toEqual({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } });
  });

  test('R411 one body after our pings is an error event, not a second head', async () => {
    const error = { type: 'api_error', message: expect.stringContaining('too late') };
    expect(lastData(await afterPing('json-late'))).toMatchObject({ error });
  });

  test('without streaming nothing is sent before the answer', async () => {
    limiter.resolve();
    expect(JSON.parse((await ask('json-late', false, impatient)).text)).toEqual({ type: 'message', content: [] });
  });
});

describe('the client goes', () => {
  test.each(['never-answers', 'silent-before', 'silent-in-a-frame'])(
    'R320 %s: the provider’s request is ended',
    async (model) => {
      const arrived = server.nextRequest();
      const record = app.nextRecord();
      const options = message(model, { stream: true });
      const request = httpRequest(`${app.url}/v1/messages`, {
        method: 'POST',
        headers: options.headers ?? {},
        agent: false,
      });
      request.on('error', () => {});
      request.end(options.body);
      const received = await arrived;
      if (model === 'silent-in-a-frame') {
        const [response] = await once(request, 'response');
        await once(response, 'data');
      }
      request.destroy();
      await received.closed;
      expect(await record).toMatchObject({ outcome: 'client_closed', attempts: 1 });
      expect(app.services.inFlight.size).toBe(0);
    },
  );
});

test('R512 an instance that stops ends the answer with an error event behind the last whole frame', async () => {
  const record = app.nextRecord();
  const response = await open(`${app.url}/v1/messages`, message('silent-in-a-frame', { stream: true }));
  let text = '';
  for await (const part of response) {
    text += String(part);
    app.services.inFlight.abortAll(new ApiError('draining', 'the instance is stopping'));
  }
  expect(text.startsWith(START)).toBe(true);
  expect(text.slice(START.length)).toMatch(/^event: error\ndata: [^\n]*stopping[^\n]*\n\n$/);
  expect(await record).toMatchObject({ outcome: 'interrupted' });
});
