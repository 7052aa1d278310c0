import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  type Behaviour,
  delta,
  type FakeUpstream,
  json,
  startFakeUpstream,
  stream,
  words,
} from '../helpers/fakeUpstream.ts';
import { call, message, startApp, type TestApp } from '../helpers/startApp.ts';

/** Groq's refusal of what its own model wrote. */
const toolUseFailed = json(400, {
  error: {
    message: 'The model generated a call that does not match the tool.',
    type: 'invalid_request_error',
    code: 'tool_use_failed',
    failed_generation: '<function=Read>{"file": "tide.txt"',
  },
});
/** Gemini's, at the end of a stream. */
const malformed = stream(delta({ role: 'assistant' }), delta({}, 'function_call_filter: MALFORMED_FUNCTION_CALL'));
const plainlyMalformed = stream(delta({ content: '' }, 'MALFORMED_FUNCTION_CALL'));

const failures: Record<string, Behaviour> = { 'tool-use-failed': toolUseFailed, malformed, plainlyMalformed };

let upstream: FakeUpstream;
let app: TestApp;

beforeAll(async () => {
  const once =
    (failure: Behaviour): Behaviour =>
    (response, request) =>
      (upstream.requests.length === 1 ? failure : words('fine'))(response, request);
  upstream = await startFakeUpstream(
    Object.fromEntries(
      Object.entries(failures).flatMap(([name, failure]) => [
        [name, failure],
        [`${name}-once`, once(failure)],
      ]),
    ),
  );
  app = await startApp({ OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'x', SMALL_MODEL: 'x', MAX_RETRIES: '0' });
});

afterAll(async () => {
  await app.close();
  await upstream.close();
});

beforeEach(() => {
  upstream.requests.length = 0;
});

test.each(Object.keys(failures))('a tool call that the model wrote badly is asked for once more: %s', async (name) => {
  const { status, text } = await call(`${app.url}/v1/messages`, message(`${name}-once`, { stream: true }));
  expect(status).toBe(200);
  expect(text).toContain('fine');
  expect(upstream.requests).toHaveLength(2);
});

test.each(Object.keys(failures))('and not again, but answered as an error to be repeated: %s', async (name) => {
  const { status, text } = await call(`${app.url}/v1/messages`, message(name, { stream: true }));
  expect(status).toBe(529);
  expect(JSON.parse(text)).toMatchObject({ error: { type: 'overloaded_error' } });
  expect(upstream.requests).toHaveLength(2);
});
