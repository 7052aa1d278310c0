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
