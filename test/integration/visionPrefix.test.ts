import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { toResultBlock, toServerCall } from '../../src/search/history.ts';
import { nativeTurn, startAnthropicServer } from '../helpers/anthropicServer.ts';
import { inTurn, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { responseTurn, textItem } from '../helpers/responsesTurn.ts';
import { call, message, type Settings, startApp } from '../helpers/startApp.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';
import {
  assistant,
  type Block,
  namesPictures,
  picture,
  text,
  toolResult,
  toolUse,
  user,
} from '../helpers/visionStage.ts';

/** One turn of a conversation: what the user or a tool brings, and what the model answers. */
const turns = fc.array(
  fc.record({
    /** Some pictures come again. */
    pictures: fc.array(
      fc.integer({ min: 0, max: 5 }).map((name) => picture(`p${name}`)),
      { maxLength: 3 },
    ),
    asked: fc.constantFrom('what?', 'where?', ''),
    byTool: fc.boolean(),
    /** Searches of the web in the model's answer. */
    searches: fc.array(fc.constantFrom('weather', 'news'), { maxLength: 2 }),
    /** Long enough that the incremental parser goes to work, or not. */
    padding: fc.constantFrom(0, 9000),
    restart: fc.boolean(),
  }),
  { minLength: 2, maxLength: 5 },
);

/** The messages of one turn, which follow those of the turns before. */
function messagesOfTurn(turn: { pictures: Block[]; asked: string; byTool: boolean; padding: number }, index: number) {
  const id = `toolu_${index}`;
  const asked = text(`${turn.asked || 'go on'} ${'x'.repeat(turn.padding)}`);
  if (!turn.byTool) return [user(asked, ...turn.pictures)];
  return [
    user(asked),
    assistant(toolUse(id, 'Screenshot', { number: index })),
    user(toolResult(id, text('taken'), ...turn.pictures), text('<system-reminder>soon</system-reminder>')),
  ];
}

/** The model's answer to a turn, as the client has got it. */
function answerOfTurn(searches: readonly string[], index: number): Block {
  const blocks = searches.flatMap((query, place) => {
    const call = toServerCall({
      type: 'tool_use',
      id: `toolu_s${index}${place}`,
      name: 'web_search',
      input: { query },
    });
    const page = { url: `https://${query}.test/`, title: query, text: `All about ${query}`, age: null };
    return [call, toResultBlock(String(call['id']), { pages: [page] })];
  });
  return assistant(...blocks, text('done'));
}

/** The list of messages in a request that was sent, without its closing bracket. */
function listIn(body: string): string {
  const name = body.includes('"messages":[') ? 'messages' : 'input';
  const start = body.indexOf(`"${name}":[`);
  const messages = JSON.parse(body)[name];
  const list = `"${name}":${JSON.stringify(messages).slice(0, -1)}`;
  expect(body.startsWith(list, start)).toBe(true);
  return list;
}

const ENDPOINTS: readonly (readonly [string, Settings])[] = [
  ['chat completions', {}],
  ['the Responses API', { PROTOCOL: 'responses', QUIRK_UPSTREAM_STREAM: '0' }],
  ['a native endpoint', { PROTOCOL: 'anthropic', PROVIDER: 'custom' }],
];

test.each(ENDPOINTS)(
  '%s: a turn later, also after a restart, the request begins with the bytes of the turn before',
  async (_name, settings) => {
    const sent: string[] = [];
    let calls = 0;
    const eyes = await startFakeUpstream({
      // A side model never says the same twice.
      eyes: (response, request) => {
        calls += 1;
        return words(`description ${calls}`)(response, request);
      },
    });
    const chat = await startFakeUpstream({
      blind: (response, request) => {
        sent.push(request.text);
        const isResponses = settings['PROTOCOL'] === 'responses';
        return (isResponses ? responseTurn([textItem('done')]) : words('done'))(response, request);
      },
    });
    const native = await startAnthropicServer({
      '*': (response, request) => {
        sent.push(request.bytes.toString());
        return nativeTurn({ text: 'done' })(response, request);
      },
    });
    onTestFinished(async () => {
      await eyes.close();
      await chat.close();
      await native.close();
    });
    const isNative = settings['PROTOCOL'] === 'anthropic';
    const other = await startApp({ OPENAI_BASE_URL: eyes.url, BIG_MODEL: 'eyes' });
    onTestFinished(() => other.close());

    await fc.assert(
      fc.asyncProperty(turns, async (plan) => {
        const state = temporaryFolder();
        const start = () =>
          startApp({
            OPENAI_BASE_URL: isNative ? native.url : chat.url,
            BIG_MODEL: 'blind',
            QUIRK_VISION: '0',
            VISION_URL: other.url,
            // Never asked: the searches are in the history.
            WEB_SEARCH: 'searxng',
            SEARCH_URL: 'http://127.0.0.1:9',
            STATE_DIR: join(state.path, 'state'),
            ...settings,
          });
        let app = await start();
        sent.length = 0;
        try {
          const messages: Block[] = [];
          for (const [index, turn] of plan.entries()) {
            messages.push(...messagesOfTurn(turn, index));
            if (turn.restart) {
              await app.close();
              app = await start();
            }
            await call(`${app.url}/v1/messages`, message('opus', { messages }));
            messages.push(answerOfTurn(turn.searches, index));
          }
          const lists = sent.map(listIn);
          expect(lists).toHaveLength(plan.length);
          expect(sent.join('')).not.toMatch(/base64|server_tool_use|web_search_tool_result/);
          for (const [index, list] of lists.entries()) {
            if (index > 0) expect(list.startsWith(lists[index - 1] ?? '')).toBe(true);
          }
        } finally {
          await app.close();
          state.remove();
        }
      }),
      { numRuns: process.env['LONG'] === '1' ? 300 : 15 },
    );
  },
  120_000,
);

test('two instances have caches of their own, so that a conversation that moves begins anew at the first picture', async () => {
  const upstream = await startFakeUpstream({ blind: words('done'), eyes: inTurn(words('one way'), words('another')) });
  onTestFinished(() => upstream.close());
  const settings = { OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'blind', QUIRK_VISION: '0', VISION_MODEL: 'eyes' };
  const first = await startApp(settings);
  const second = await startApp(settings);
  onTestFinished(async () => {
    await first.close();
    await second.close();
  });
  const asked = message('opus', { messages: [user(text('before')), assistant(text('ok')), user(picture('a'))] });
  for (const { url } of [first, second, first, second]) await call(`${url}/v1/messages`, asked);
  const sent = upstream.requests.filter(({ body }) => body.model === 'blind').map(({ text: body }) => listIn(body));
  expect(sent[2]).toBe(sent[0]);
  expect(sent[3]).toBe(sent[1]);
  const [one = '', other = ''] = sent;
  const common = [...one].findIndex((letter, at) => letter !== other[at]);
  expect(one.slice(common)).toMatch(/^one way/);
  expect(other.slice(common)).toMatch(/^another/);
});

test('what was searched stands in the conversation itself: another instance sends the same bytes', async () => {
  const upstream = await startFakeUpstream({ '*': words('done') });
  onTestFinished(() => upstream.close());
  const search = { WEB_SEARCH: 'searxng', SEARCH_URL: 'http://127.0.0.1:9' };
  const apps = [1, 2].map(() => startApp({ OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'any', ...search }));
  const messages = [user(text('hello')), answerOfTurn(['weather', 'news'], 0), user(text('Thanks.'))];
  for (const starting of apps) {
    const app = await starting;
    onTestFinished(() => app.close());
    await call(`${app.url}/v1/messages`, message('opus', { messages }));
  }
  const [one, other] = upstream.requests;
  expect(one?.text).toContain('All about news');
  expect(other?.text).toBe(one?.text);
});

test('what is described for one conversation is there for another, and a large body is no hindrance', async () => {
  const upstream = await startFakeUpstream({ blind: words('done'), eyes: namesPictures });
  onTestFinished(() => upstream.close());
  const app = await startApp({
    OPENAI_BASE_URL: upstream.url,
    BIG_MODEL: 'blind',
    QUIRK_VISION: '0',
    VISION_MODEL: 'eyes',
  });
  onTestFinished(() => app.close());
  // More than the incremental parser keeps.
  const large = 'y'.repeat(9 * 1024 * 1024);
  const messages = [user(text('look'), picture('a')), assistant(text('done')), user(text(large))];
  await call(`${app.url}/v1/messages`, message('opus', { messages: [user(text('look'), picture('a'))] }));
  await call(`${app.url}/v1/messages`, message('opus', { messages }));
  await call(`${app.url}/v1/messages`, message('opus', { messages }));
  expect(upstream.requests.filter(({ body }) => body.model === 'eyes')).toHaveLength(1);
});
