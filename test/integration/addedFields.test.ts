import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeUpstream, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message, startApp } from '../helpers/startApp.ts';

let upstream: FakeUpstream;
beforeAll(async () => {
  upstream = await startFakeUpstream({ '*': words('fine') });
});
afterAll(() => upstream.close());

const SECRET = 'not-to-be-printed-01';
const body = JSON.stringify({
  user: SECRET,
  deep: { token: SECRET, list: [SECRET, 7], number: 0.5 },
  model: SECRET,
  messages: SECRET,
});

test.each(['chat', 'anthropic'])(
  'the dry run masks the texts that the user adds to requests (%s)',
  async (protocol) => {
    const settings = { OPENAI_BASE_URL: upstream.url, PROTOCOL: protocol, BIG_MODEL: 'words', QUIRK_EXTRA_BODY: body };
    const app = await startApp({ ...settings, QUIRK_STREAM_BODY: `{"stream_token": "${SECRET}"}` });
    try {
      const answer = await call(`${app.url}/v1/messages/test_conversion`, message('claude-opus-5'));
      expect(answer.text).not.toContain(SECRET);
      const { request } = JSON.parse(answer.text);
      expect(request).toMatchObject({ user: '****', deep: { token: '****', list: ['****', 7], number: 0.5 } });
      expect(request).toMatchObject({ model: 'words', messages: [{ role: 'user' }] });
      // The provider gets what the user wrote.
      await call(`${app.url}/v1/messages`, message('claude-opus-5'));
      expect(upstream.requests.at(-1)?.body).toMatchObject({
        user: SECRET,
        deep: { token: SECRET, list: [SECRET, 7] },
      });
    } finally {
      await app.close();
    }
  },
);
