import { onTestFinished } from 'vitest';
import { type Behaviour, type FakeUpstream, type ReceivedRequest, startFakeUpstream, words } from './fakeUpstream.ts';
import { pngImage } from './pngImage.ts';
import { call, message, type Settings, startApp, type TestApp } from './startApp.ts';

/** A block as a client sends it. */
export type Block = Record<string, unknown>;

/** A picture with bytes of its own. */
export function picture(name: string): Block {
  const data = Buffer.concat([pngImage(), Buffer.from(name)]).toString('base64');
  return { type: 'image', source: { type: 'base64', media_type: 'image/png', data } };
}

export const text = (words_: string): Block => ({ type: 'text', text: words_ });
export const user = (...content: Block[]): Block => ({ role: 'user', content });
export const assistant = (...content: Block[]): Block => ({ role: 'assistant', content });
export const toolUse = (id: string, name: string, input: Block): Block => ({ type: 'tool_use', id, name, input });
export const toolResult = (id: string, ...content: Block[]): Block => ({
  type: 'tool_result',
  tool_use_id: id,
  content,
});

/** The letters behind the bytes of the picture that a side model was asked about. */
export function askedPicture({ text: body }: ReceivedRequest): string {
  const [, data = ''] = /base64,([A-Za-z0-9+/=]+)/.exec(body) ?? [];
  const bytes = Buffer.from(data, 'base64').toString('latin1');
  return bytes.slice(bytes.indexOf('IEND') + 'IEND'.length + 4);
}

/** A side model that says which picture it was given. */
export const namesPictures: Behaviour = (response, request) =>
  words(`it shows ${askedPicture(request)}`)(response, request);

export interface VisionStage {
  readonly app: TestApp;
  readonly upstream: FakeUpstream;
  /** Requests to the model that sees nothing. */
  blind(): ReceivedRequest[];
  /** Requests to the side model. */
  eyes(): ReceivedRequest[];
  /** Sends a conversation; gives the answer's text. */
  ask(messages: readonly Block[], fields?: Record<string, unknown>): Promise<string>;
}

/** An instance whose model sees nothing, with a side model at the same provider; all gone when the test ends. */
export async function startVision(eyes: Behaviour = namesPictures, settings: Settings = {}): Promise<VisionStage> {
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
  return {
    app,
    upstream,
    blind: () => of('blind'),
    eyes: () => of('eyes'),
    ask: async (messages, fields = {}) =>
      (await call(`${app.url}/v1/messages`, message('opus', { messages, ...fields }))).text,
  };
}
