import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type FakeUpstream, json, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message, startApp } from '../helpers/startApp.ts';

let upstream: FakeUpstream;

beforeAll(async () => {
  const content = [{ type: 'output_text', text: 'fine' }];
  const output = [{ type: 'message', role: 'assistant', content }];
  upstream = await startFakeUpstream({
    chat: words('fine'),
    responses: json(200, { object: 'response', status: 'completed', output }),
  });
});

afterAll(() => upstream.close());

const text = 'Read the file and say what is in it. '.repeat(2000);
const messages = Array.from({ length: 41 }, (_, index) => ({
  role: index % 2 === 0 ? 'user' : 'assistant',
  content: `${index} ${text}`,
}));

test.each([
  ['chat', 'messages'],
  ['responses', 'input'],
])(
  'a request of 3 MB arrives whole, and is printed in stretches before it is sent (PROTOCOL=%s)',
  async (protocol, list) => {
    const app = await startApp({ OPENAI_BASE_URL: upstream.url, BIG_MODEL: protocol, PROTOCOL: protocol });
    try {
      const { writer } = app.services.bodies;
      let pauses = 0;
      const prepare = writer.prepare.bind(writer);
      vi.spyOn(writer, 'prepare').mockImplementation(function* (body) {
        for (const pause of prepare(body)) {
          pauses += 1;
          yield pause;
        }
      });
      const written = vi.spyOn(writer, 'write').mockImplementationOnce((body) => {
        expect(pauses).toBeGreaterThanOrEqual(4);
        return Buffer.from(JSON.stringify(body));
      });
      expect((await call(`${app.url}/v1/messages`, message(protocol, { messages }))).status).toBe(200);
      expect(written).toHaveBeenCalledTimes(1);
      expect(upstream.requests.at(-1)?.body[list]).toHaveLength(messages.length);
    } finally {
      await app.close();
    }
  },
);

test.each(['chat', 'responses', 'anthropic'])(
  'what a request of 3 MB would be is shown whole, and never printed at a stretch (PROTOCOL=%s)',
  async (protocol) => {
    const app = await startApp({ OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'chat', PROTOCOL: protocol });
    const question = message('claude-opus-5', { messages });
    const print = vi.spyOn(JSON, 'stringify');
    try {
      const { text: shown } = await call(`${app.url}/v1/messages/test_conversion`, question);
      const lengths = print.mock.results.map(({ value }) => String(value).length);
      expect(Math.max(...lengths)).toBeLessThan(2 * text.length);
      const { request } = JSON.parse(shown);
      expect(request.model).toBe('chat');
      expect(request.messages ?? request.input).toHaveLength(messages.length);
    } finally {
      print.mockRestore();
      await app.close();
    }
  },
);

test('a byte order mark in front of a request is none in front of what is shown of it', async () => {
  const app = await startApp({ OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'chat', PROTOCOL: 'anthropic' });
  try {
    const question = message('chat');
    const body = `\ufeff${question.body}`;
    const { text: shown } = await call(`${app.url}/v1/messages/test_conversion`, { ...question, body });
    expect(JSON.parse(shown).request).toEqual(JSON.parse(String(question.body)));
  } finally {
    await app.close();
  }
});
