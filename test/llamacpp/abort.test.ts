import Anthropic from '@anthropic-ai/sdk';
import { expect } from 'vitest';
import { waitUntil } from '../helpers/waitUntil.ts';
import { type LlamaServer, testWithContext } from './llamaServer.ts';

/** A client that leaves frees the server, which has one slot: else it would go on for minutes, and the next request would wait. */

const LIMIT = 50_000;
const test = testWithContext(65_536);
const request = {
  model: 'claude-sonnet-5',
  max_tokens: LIMIT,
  messages: [{ role: 'user' as const, content: '#endless' }],
};

async function isBusy({ url }: LlamaServer): Promise<boolean> {
  const slots = (await (await fetch(`${url}/slots`)).json()) as { is_processing: boolean }[];
  return slots.some(({ is_processing }) => is_processing);
}

/** How many tokens the server has written since it started. */
async function countWritten({ url }: LlamaServer): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^llamacpp:tokens_predicted_total (\S+)$/m.exec(metrics)?.[1]);
}

for (const stream of [false, true]) {
  test(`an abort frees the slot, ${stream ? 'streamed' : 'whole'}`, async ({ stage: { server, proxy } }) => {
    const before = await countWritten(server);
    const { messages } = new Anthropic({ baseURL: proxy.url, apiKey: 'any', maxRetries: 0, timeout: 60_000 });
    const abort = new AbortController();
    const answer = messages.create({ ...request, stream }, { signal: abort.signal });
    // Whatever comes of it; what counts is what the server does.
    answer.catch(() => undefined);
    await waitUntil('the server writes', () => isBusy(server));
    if (stream) await answer;
    abort.abort();
    // No question after the slot here: the server notices that a connection is closed only when nobody asks it for a second.
    await messages.create({ ...request, messages: [{ role: 'user', content: 'Hi' }] });
    expect((await countWritten(server)) - before).toBeLessThan(LIMIT);
  });
}
