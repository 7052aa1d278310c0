import { afterEach, expect, onTestFinished, test } from 'vitest';
import {
  type FakeUpstream,
  inTurn,
  json,
  type ReceivedRequest,
  startFakeUpstream,
  words,
} from '../helpers/fakeUpstream.ts';
import { pngImage } from '../helpers/pngImage.ts';
import { messagesOf, textOf } from '../helpers/received.ts';
import { call, message, type Settings, startApp, type TestApp } from '../helpers/startApp.ts';

/** A picture whose bytes are its own, as a client sends it. */
export function picture(name: string) {
  const data = Buffer.concat([pngImage(), Buffer.from(name)]).toString('base64');
  return { type: 'image', source: { type: 'base64', media_type: 'image/png', data } };
}

const user = (...content: unknown[]) => ({ role: 'user', content });
const text = (words_: string) => ({ type: 'text', text: words_ });

interface Stage {
  readonly app: TestApp;
  readonly upstream: FakeUpstream;
  /** Requests to the model that codes, and to the one that sees. */
  blind(): ReceivedRequest[];
  eyes(): ReceivedRequest[];
}

async function setUp(eyes = words('a DIALOG with the text E42'), settings: Settings = {}): Promise<Stage> {
  const upstream = await startFakeUpstream({ blind: words('done'), eyes });
  onTestFinished(() => upstream.close());
  const app = await startApp({
    OPENAI_BASE_URL: upstream.url,
    BIG_MODEL: 'blind',
    QUIRK_VISION: '0',
    VISION_MODEL: 'eyes',
    ...settings,
  });
  onTestFinished(() => app.close());
  const of = (model: string) => upstream.requests.filter(({ body }) => body.model === model);
  return { app, upstream, blind: () => of('blind'), eyes: () => of('eyes') };
}

const ask = (app: TestApp, messages: unknown[], fields = {}) =>
  call(`${app.url}/v1/messages`, message('opus', { messages, ...fields }));

test('a picture reaches a model that sees none as a description, made once', async () => {
  const { app, blind, eyes } = await setUp();
  const first = [user(text('What does the dialog say?'), picture('a'))];
  expect((await ask(app, first)).status).toBe(200);
  expect(eyes()).toHaveLength(1);
  console.log(eyes()[0]?.text);
  console.log(blind()[0]?.text);
  const second = [...first, { role: 'assistant', content: 'done' }, user(text('And now?'))];
  await ask(app, second);
  expect(eyes()).toHaveLength(1);
  const [before = '', after = ''] = blind().map((request) => JSON.stringify(request.body.messages));
  expect(after.startsWith(before.slice(0, -1))).toBe(true);
  console.log(JSON.stringify(app.usageRows), JSON.stringify(app.log.filter((l) => l['event'] === 'request')));
});
