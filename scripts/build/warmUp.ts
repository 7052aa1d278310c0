import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const call = (words: string, named: object) => ({ index: 0, id: 'call_1', function: { ...named, arguments: words } });
const usage = { prompt_tokens: 20, completion_tokens: 10, total_tokens: 30 };

const ANSWER = JSON.stringify({
  choices: [
    {
      message: { role: 'assistant', content: 'Once more.', tool_calls: [call('{"file_path":"b"}', { name: 'Read' })] },
      finish_reason: 'tool_calls',
    },
  ],
  usage,
});

const EVENTS = [
  { delta: { role: 'assistant', content: 'Once ' } },
  { delta: { content: 'more.' } },
  { delta: { tool_calls: [call('{"file', { name: 'Read' })] } },
  { delta: { tool_calls: [call('_path":"b"}', {})] } },
  { delta: {}, finish_reason: 'tool_calls' },
]
  .map((choice) => JSON.stringify({ choices: [{ index: 0, ...choice }] }))
  .concat(JSON.stringify({ choices: [], usage }), '[DONE]')
  .map((data) => `data: ${data}\n\n`)
  .join('');

/** A provider on a free port of this machine, for the warm-up of a build. */
export interface FakeProvider {
  readonly url: string;
  close(): void;
}

/** Starts a provider with one answer, in words and a call of a tool, whole or as events. */
export async function startFakeProvider(): Promise<FakeProvider> {
  const server = createServer((request, response) => {
    const wantsEvents = request.headers.accept === 'text/event-stream';
    request.resume().on('end', () => {
      response.setHeader('content-type', wantsEvents ? 'text/event-stream' : 'application/json');
      response.end(wantsEvents ? EVENTS : ANSWER);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const question = {
  model: 'claude-sonnet-4-5',
  max_tokens: 100,
  system: 'You read files.',
  tools: [{ name: 'Read', input_schema: { type: 'object', properties: { file_path: { type: 'string' } } } }],
  messages: [
    { role: 'user', content: 'Read the files.' },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'Read', input: { file_path: 'a' } }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'It is empty.' }] },
  ],
};

const REQUESTS: readonly (readonly [path: string, body?: object])[] = [
  ['/health'],
  ['/v1/messages', question],
  ['/v1/messages', { ...question, stream: true }],
  ['/v1/messages/count_tokens', question],
];

/**
 * Sends one request of each kind that an instance gets every day to the one on the port.
 * @throws when it refuses one of them.
 */
export async function sendWarmUpRequests(port: number): Promise<void> {
  for (const [path, body] of REQUESTS) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answers ${response.status}: ${text}`);
  }
}
