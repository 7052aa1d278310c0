import Anthropic from '@anthropic-ai/sdk';
import { expect } from 'vitest';
import { testWithContext } from './llamaServer.ts';

/** The server keeps the last prompt: a turn must begin with the very bytes of the turn before, so that only its own part is computed. */

const test = testWithContext(65_536);

const tools: Anthropic.Tool[] = Array.from({ length: 20 }, (_, number) => ({
  name: number === 0 ? 'Bash' : `tool_${number}`,
  description: `Tool number ${number}. ${'It does something useful for a coding agent, and has rules. '.repeat(5)}`,
  input_schema: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: { command: { type: 'string', description: 'the command' }, description: { type: 'string' } },
    required: ['command'],
    additionalProperties: false,
  },
}));

/** As the client sends it: the first block differs in each request. */
const systemOf = (request: number): Anthropic.TextBlockParam[] => [
  { type: 'text', text: `x-anthropic-billing-header: cc_version=2.1.328; cc_entrypoint=cli; cch=${request}a;` },
  {
    type: 'text',
    text: `You are a coding agent. ${'Follow these rules. '.repeat(300)}`,
    cache_control: { type: 'ephemeral' },
  },
];

const conversations = [
  { title: 'calls', script: 'bash', beside: false, thinks: false },
  { title: 'calls and reminders beside their results', script: 'bash', beside: true, thinks: false },
  { title: 'thinking and calls', script: 'thinkcall', beside: false, thinks: true },
  { title: 'thinking, calls and reminders', script: 'thinkcall', beside: true, thinks: true },
];

test.for(conversations)('$title: each turn computes its own part alone', async (conversation, { stage }) => {
  const client = new Anthropic({ baseURL: stage.proxy.url, apiKey: 'any', maxRetries: 0 });
  const messages: Anthropic.MessageParam[] = [];
  const prompts: { whole: number; cached: number }[] = [];
  const take = async (content: Anthropic.ContentBlockParam[]) => {
    messages.push({ role: 'user', content });
    const answer = await client.messages.create({
      model: 'claude-sonnet-5',
      max_tokens: 2000,
      system: systemOf(prompts.length),
      tools,
      messages,
      ...(conversation.thinks ? { thinking: { type: 'enabled', budget_tokens: 1024 } } : {}),
    });
    messages.push({ role: 'assistant', content: answer.content });
    const cached = answer.usage.cache_read_input_tokens ?? 0;
    prompts.push({ whole: answer.usage.input_tokens + cached, cached });
    return answer.content.filter((block) => block.type === 'tool_use');
  };
  for (let round = 0; round < 3; round++) {
    const calls = await take([
      { type: 'text', text: `<system-reminder>Round ${round}.</system-reminder>` },
      { type: 'text', text: `#${conversation.script} number ${round}. ${'Some words about the code. '.repeat(30)}` },
    ]);
    expect(calls).toHaveLength(1);
    await take([
      ...calls.map(({ id }) => ({ type: 'tool_result' as const, tool_use_id: id, content: 'a line\n'.repeat(60) })),
      ...(conversation.beside
        ? [{ type: 'text' as const, text: `<system-reminder>Stale ${round}.</system-reminder>` }]
        : []),
    ]);
  }
  // All of the prompt before but its last token, which is the template's and stands at the end of prompts only.
  const before = prompts.slice(0, -1);
  expect(prompts.slice(1).map(({ cached }) => cached)).toEqual(before.map(({ whole }) => whole - 1));
});
