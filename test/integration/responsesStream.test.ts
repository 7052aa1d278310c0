import { once } from 'node:events';
import { request as httpRequest, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { writeEvents } from '../helpers/arbitraryResponse.ts';
import { type FakeUpstream, openEvents, startFakeUpstream } from '../helpers/fakeUpstream.ts';
import { textItem } from '../helpers/responsesTurn.ts';
import { message, open, readEvents, startApp, type TestApp } from '../helpers/startApp.ts';

const CREATED = { type: 'response.created', response: { id: 'resp_1', status: 'in_progress', output: [] } };
/** What a model sends that thinks and shows nothing of it; the next event may be minutes away. */
const THINKS = {
  type: 'response.output_item.added',
  output_index: 0,
  item: { type: 'reasoning', id: 'rs_1', summary: [] },
};
const SAYS = {
  type: 'response.output_text.delta',
  output_index: 0,
  content_index: 0,
  item_id: 'msg_1',
  delta: 'and then',
};
const CALLS = {
  type: 'response.output_item.added',
  output_index: 0,
  item: { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'Read', arguments: '' },
};
const ARGUMENTS = { type: 'response.function_call_arguments.delta', output_index: 0, delta: '{"file_path":"/unfin' };
const COMPLETED = {
  type: 'response.completed',
  response: {
    id: 'resp_1',
    status: 'completed',
    output: [{ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'blob' }, textItem('There.')],
    usage: { input_tokens: 10, output_tokens: 2 },
  },
};

let upstream: FakeUpstream;
let app: TestApp;

afterEach(async () => {
  await app.close();
  await upstream.close();
});

/** An instance before a provider that sends these events and is silent then. */
async function start(events: readonly JsonObject[] | undefined): Promise<{ held: () => ServerResponse | undefined }> {
  let held: ServerResponse | undefined;
  upstream = await startFakeUpstream({
    '*': (response) => {
      held = response;
      if (events === undefined) return;
      openEvents(response);
      response.write(writeEvents(events));
    },
  });
  app = await startApp({
    PROTOCOL: 'responses',
    OPENAI_BASE_URL: upstream.url,
    BIG_MODEL: 'm',
    SMALL_MODEL: 'm',
    QUIRK_PING_MS: '100',
    QUIRK_HEADER_WAIT_MS: '100',
  });
  return { held: () => held };
}

test('R673 who waits for a model that thinks without a summary is kept waiting by pings', async () => {
  const { held } = await start([CREATED, THINKS]);
  const response = await open(`${app.url}/v1/messages`, message('m', { stream: true }));
  response.setEncoding('utf8');
  let text = '';
  response.on('data', (part: string) => {
    text += part;
    if (text.split('event: ping').length === 3) held()?.end(writeEvents([COMPLETED]));
  });
  await once(response, 'end');
  const types = readEvents(text).map(([type]) => type);
  expect(types.slice(0, 2)).toEqual(['ping', 'ping']);
  expect(types.at(-1)).toBe('message_stop');
  expect(text).toContain('There.');
});

describe('R673 R320 a client that goes ends the provider’s request', () => {
  test.each<[string, JsonObject[] | undefined, boolean]>([
    ['before the headers', undefined, true],
    ['before the headers, without streaming', undefined, false],
    ['while the model thinks', [CREATED, THINKS], true],
    ['in a text', [CREATED, SAYS], true],
    ['in the arguments of a call', [CREATED, CALLS, ARGUMENTS], true],
  ])('%s', async (_stage, events, streamed) => {
    await start(events);
    const arrived = upstream.nextRequest();
    const record = app.nextRecord();
    const { headers = {}, body } = message('m', { stream: streamed });
    const request = httpRequest(`${app.url}/v1/messages`, { method: 'POST', headers, agent: false });
    request.on('error', () => {});
    request.end(body);
    const { closed } = await arrived;
    if (events !== undefined) {
      const [response] = await once(request, 'response');
      await once(response, 'data');
    }
    request.destroy();
    await closed;
    expect(await record).toMatchObject({ outcome: 'client_closed', protocol: 'responses', attempts: 1 });
  });
});
