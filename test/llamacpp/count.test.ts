import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { expect } from 'vitest';
import { testWithContext } from './llamaServer.ts';

/** The count of tokens before a request, beside what the server then counts. */

const test = testWithContext(32_768);
const ROOT = join(import.meta.dirname, '../..');
const requestOf = (content: string) => ({ model: 'claude-sonnet-5', messages: [{ role: 'user' as const, content }] });
const documentOf = (path: string) => requestOf(readFileSync(join(ROOT, path), 'utf8'));
const ROUTING = documentOf('docs/ROUTING.md');

test('the count learns from a long request, and tiny ones do not move it', async ({ stage: { server, proxy } }) => {
  const { messages } = new Anthropic({ baseURL: proxy.url, apiKey: 'any', maxRetries: 0 });
  const count = async () => (await messages.countTokens(ROUTING)).input_tokens;
  // The server's own count, as a request with this text would teach the instance what is to be tested.
  const body = JSON.stringify(ROUTING);
  const response = await fetch(`${server.url}/v1/messages/count_tokens`, { method: 'POST', body });
  const { input_tokens: real } = (await response.json()) as { input_tokens: number };

  await messages.create({ ...documentOf('README.md'), max_tokens: 20 });
  const learned = await count();
  expect(Math.abs(learned / real - 1)).toBeLessThan(0.2);
  for (let number = 0; number < 10; number++) await messages.create({ ...requestOf('Hi'), max_tokens: 20 });
  expect(Math.abs((await count()) / learned - 1)).toBeLessThan(0.02);
});
