import Anthropic from '@anthropic-ai/sdk';
import { expect } from 'vitest';
import { testWithContext } from './llamaServer.ts';

/** What does not fit, with the server's own numbers: Claude Code makes its conversation shorter by them. */

const CONTEXT = 4096;
const test = testWithContext(CONTEXT, { QUIRK_CONTEXT_WINDOW: String(CONTEXT) });

const ask = (content: string) => ({
  model: 'claude-sonnet-5',
  max_tokens: 100,
  messages: [{ role: 'user' as const, content }],
});
const tooLong = ask('Words about a long conversation. '.repeat(2000));

for (const stream of [false, true]) {
  test(`a prompt above the context is refused with both numbers, ${stream ? 'streamed' : 'whole'}`, async ({
    stage,
  }) => {
    const { server, proxy } = stage;
    const post = async (url: string, body: unknown): Promise<unknown> => {
      const headers = { 'content-type': 'application/json' };
      return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).json();
    };
    const { request } = (await post(`${proxy.url}/v1/messages/test_conversion`, tooLong)) as { request: unknown };
    const { error } = (await post(`${server.url}/v1/chat/completions`, request)) as {
      error: { n_prompt_tokens: number };
    };
    expect(error.n_prompt_tokens).toBeGreaterThan(CONTEXT);

    const client = new Anthropic({ baseURL: proxy.url, apiKey: 'any', maxRetries: 0 });
    await expect(client.messages.create({ ...tooLong, stream })).rejects.toMatchObject({
      status: 400,
      error: {
        error: {
          type: 'invalid_request_error',
          message: expect.stringContaining(`prompt is too long: ${error.n_prompt_tokens} tokens > ${CONTEXT} maximum`),
        },
      },
    });
  });

  test(`an answer that fills the context says so, ${stream ? 'streamed' : 'whole'}`, async ({ stage }) => {
    const client = new Anthropic({ baseURL: stage.proxy.url, apiKey: 'any', maxRetries: 0 });
    const request = { ...ask('#endless'), max_tokens: 2 * CONTEXT };
    const message = await (stream ? client.messages.stream(request).finalMessage() : client.messages.create(request));
    expect(message.stop_reason).toBe('model_context_window_exceeded');
    const { input_tokens, cache_read_input_tokens, output_tokens } = message.usage;
    expect(input_tokens + (cache_read_input_tokens ?? 0) + output_tokens).toBe(CONTEXT);
  });
}
