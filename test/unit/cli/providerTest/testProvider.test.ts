import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { describeEstimate, estimateFullTest, testProvider } from '../../../../src/cli/providerTest/testProvider.ts';
import { configOf } from '../../../helpers/configText.ts';

/** A stand-in for an instance whose model says the same to everything; gives its address and what it was asked. */
async function startInstance(text: string): Promise<{ url: string; asked: string[]; headers: string[] }> {
  const asked: string[] = [];
  const headers: string[] = [];
  const events = [
    { type: 'message_start', message: { usage: { input_tokens: 3, output_tokens: 0 } } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    asked.push(JSON.parse(body).model);
    headers.push(`${request.url} ${request.headers['x-api-key']}`);
    response.end(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, asked, headers };
}

async function testNewInstance(provider: string, full: boolean) {
  const instance = await startInstance('hello');
  const config = configOf([
    `PROVIDER=${provider}`,
    `OPENAI_BASE_URL=${instance.url}`,
    'OPENAI_API_KEY=a-key-of-the-provider',
    'BIG_MODEL=large',
    'MIDDLE_MODEL=tiny',
    'SMALL_MODEL=tiny',
  ]);
  const announced: string[] = [];
  const result = await testProvider({
    config,
    client: { baseUrl: instance.url, credentials: { 'x-api-key': 'token' }, timeoutMs: 5000 },
    full,
    key: 'KEY is accepted',
    onCheck: (check) => announced.push(check),
  });
  return { ...result, ...instance, announced };
}

test('each model is asked once, and the big one shows key, model and speed in one answer', async () => {
  const { asked, rows, spending, announced, headers } = await testNewInstance('custom', false);
  expect(asked).toEqual(['large', 'tiny']);
  expect(rows.map(({ check, detail }) => `${check}: ${detail}`).slice(3)).toEqual([
    'key: KEY is accepted',
    'model large: big',
    'model tiny: middle, small',
    expect.stringMatching(/^stream: .* in one piece/),
  ]);
  expect(announced).toEqual(['network', 'key', 'model large', 'model tiny', 'stream']);
  expect(spending).toMatchObject({ requests: 2, input: 6, output: 2, dollars: undefined });
  expect(headers[0]).toBe('/v1/messages token');
});

test('quirks are named for chat completions, and not for a native endpoint, which no quirk changes', async () => {
  const quirksOf = async (provider: string) =>
    (await testNewInstance(provider, true)).rows.flatMap(({ quirks }) => quirks);
  expect(await quirksOf('custom')).toContain('QUIRK_VISION=false');
  expect(await quirksOf('custom-anthropic')).toEqual([]);
});

const OWN = [
  'PROVIDER=custom',
  'OPENAI_BASE_URL=https://api.example.com/v1',
  'OPENAI_API_KEY=k-0000000001',
  'BIG_MODEL=m',
];
const NOW = Date.parse('2026-11-30');

test('what --full may cost, with the window and price of the model', () => {
  const config = configOf(['PROVIDER=openai', 'OPENAI_API_KEY=k-0000000001']);
  const { overflow, dollars, overflowDollars } = estimateFullTest(config, NOW);
  const { contextWindow = 0, prices } = config.provider.preset.models[config.tiers.big] ?? {};
  expect(overflow).toBe(2 * contextWindow);
  expect(dollars).toBeCloseTo((22_000 * (prices?.input ?? 0) + 5000 * (prices?.output ?? 0)) / 1e6);
  expect(overflowDollars).toBeGreaterThan(dollars ?? 0);
  expect(describeEstimate(config, NOW)).toContain(`(about $${dollars?.toFixed(2)})`);
});

test.each([
  ['without a window no long request is made', OWN, /^--full asks m for .* \(price unknown\)\.$/],
  [
    'a request that is larger than the instance takes is not made',
    [...OWN, 'QUIRK_CONTEXT_WINDOW=90000000'],
    /unknown\)\.$/,
  ],
  [
    'with one it may be billed',
    [...OWN, 'QUIRK_CONTEXT_WINDOW=200000'],
    /One request of 400,000 tokens is meant to be refused/,
  ],
  ['the demo costs nothing', ['PROVIDER=demo'], undefined],
  ['nor does a server of one’s own', ['PROVIDER=ollama', 'BIG_MODEL=m', 'QUIRK_CONTEXT_WINDOW=64000'], undefined],
])('%s', (_what, lines, expected) => {
  const said = describeEstimate(configOf(lines), NOW);
  if (expected === undefined) expect(said).toBeUndefined();
  else expect(said).toMatch(expected);
});
