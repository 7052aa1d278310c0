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

/** A provider on a free port of this machine, to try a build with. */
export interface StandInProvider {
  readonly url: string;
  close(): void;
}

/** Starts a provider with one answer, in words and a call of a tool, whole or as events. */
export async function startStandInProvider(): Promise<StandInProvider> {
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
