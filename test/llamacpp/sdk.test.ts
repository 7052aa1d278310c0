import Anthropic from '@anthropic-ai/sdk';
import { expect } from 'vitest';
import { pngImage } from '../helpers/pngImage.ts';
import { testWithContext } from './llamaServer.ts';

/** Anthropic's own SDK, the executable and a real llama-server: what the client asks for is what the model does. */

const test = testWithContext(32_768);

const tool = (name: string, ...inputs: readonly string[]): Anthropic.Tool => ({
  name,
  description: `Runs ${name}`,
  input_schema: {
    type: 'object',
    properties: Object.fromEntries(inputs.map((input) => [input, { type: 'string' }])),
    required: inputs.slice(0, 1),
  },
});
const weather = tool('get_weather', 'city');
const bash = tool('Bash', 'command', 'description');
const read = tool('Read', 'file_path');

const ask = (content: Anthropic.MessageParam['content']): Anthropic.MessageParam[] => [{ role: 'user', content }];
const text = (words: unknown) => ({ type: 'text', text: words });
const thinking = (words: string) => ({ type: 'thinking', thinking: words, signature: expect.any(String) });
const call = (name: string, input: unknown) => ({
  type: 'tool_use',
  id: expect.stringMatching(/^toolu_/),
  name,
  input,
});

const HELLO = text('Hello from the real server — café 😀.');
const THOUGHTS = thinking(expect.stringMatching(/^Let me reason about that for a while\.\n?$/));
const ANSWER = text('The answer is forty-two.');
const PLAIN = text('The answer, without thinking, is forty-two.');
const DONE = text('The tool has answered, so this is the end of it.');
const LODZ = call('get_weather', { city: 'Łódź' });

const used = [
  ...ask('#bash'),
  {
    role: 'assistant',
    content: [
      { type: 'thinking', thinking: 'I think so.', signature: '' },
      { type: 'text', text: 'Running.' },
      { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: { command: 'pwd' } },
    ],
  },
] satisfies Anthropic.MessageParam[];
const result = (content: string, is_error = false) =>
  ({ type: 'tool_result', tool_use_id: 'toolu_1', content, is_error }) satisfies Anthropic.ToolResultBlockParam;

interface Case {
  readonly title: string;
  readonly request: Partial<Anthropic.MessageCreateParamsNonStreaming> & { messages: Anthropic.MessageParam[] };
  readonly content: readonly unknown[];
  readonly stop?: string;
}

const cases: readonly Case[] = [
  { title: 'text', request: { messages: ask('Hi') }, content: [HELLO], stop: 'end_turn' },
  {
    title: 'thinking with a budget',
    request: { messages: ask('#think'), thinking: { type: 'enabled', budget_tokens: 1024 }, max_tokens: 2048 },
    content: [THOUGHTS, ANSWER],
    stop: 'end_turn',
  },
  {
    title: 'adaptive thinking',
    request: { messages: ask('#think'), thinking: { type: 'adaptive' } },
    content: [THOUGHTS, ANSWER],
  },
  {
    title: 'thinking turned off',
    request: { messages: ask('#think'), thinking: { type: 'disabled' } },
    content: [PLAIN],
  },
  {
    title: 'thinking before text and a call',
    request: {
      messages: ask('#thinkcall'),
      tools: [bash],
      thinking: { type: 'enabled', budget_tokens: 1024 },
      max_tokens: 2048,
    },
    content: [
      thinking(expect.stringContaining('I need the shell.')),
      text(expect.stringContaining('Calling it.')),
      call('Bash', { command: 'pwd', description: 'Where am I' }),
    ],
    stop: 'tool_use',
  },
  { title: 'a tool', request: { messages: ask('#weather'), tools: [weather] }, content: [LODZ], stop: 'tool_use' },
  {
    title: 'two calls of one tool',
    request: { messages: ask('#twice'), tools: [weather] },
    content: [call('get_weather', { city: 'Berlin' }), call('get_weather', { city: 'Rome' })],
    stop: 'tool_use',
  },
  {
    title: 'two tools',
    request: { messages: ask('#pair'), tools: [bash, read] },
    content: [call('Read', { file_path: '/etc/hostname' }), call('Bash', { command: 'uname', description: 'System' })],
    stop: 'tool_use',
  },
  {
    title: 'tool choice any',
    request: { messages: ask('#weather'), tools: [weather], tool_choice: { type: 'any' } },
    content: [LODZ],
    stop: 'tool_use',
  },
  {
    title: 'tool choice any with a model that would rather talk',
    request: { messages: ask('Hi'), tools: [weather], tool_choice: { type: 'any' } },
    content: [HELLO, call('get_weather', { city: expect.any(String) })],
    stop: 'tool_use',
  },
  {
    title: 'tool choice none',
    request: { messages: ask('#weather'), tools: [weather], tool_choice: { type: 'none' } },
    content: [text(expect.any(String))],
    stop: 'end_turn',
  },
  {
    title: 'tool choice of the tool that the model would take',
    request: { messages: ask('#weather'), tools: [bash, weather], tool_choice: { type: 'tool', name: 'get_weather' } },
    content: [LODZ],
    stop: 'tool_use',
  },
  {
    title: 'tool choice of another tool than the model would take',
    request: { messages: ask('#bash'), tools: [bash, weather], tool_choice: { type: 'tool', name: 'get_weather' } },
    content: [call('get_weather', { city: expect.any(String) })],
    stop: 'tool_use',
  },
  {
    title: 'the result of a tool',
    request: { messages: [...used, { role: 'user', content: [result('/work')] }], tools: [bash] },
    content: [DONE],
    stop: 'end_turn',
  },
  {
    title: 'the result of a tool with words of the user beside it',
    request: {
      messages: [...used, { role: 'user', content: [result('/work'), { type: 'text', text: '#plain' }] }],
      tools: [bash],
    },
    content: [PLAIN],
  },
  {
    title: 'a tool that failed',
    request: { messages: [...used, { role: 'user', content: [result('no such file', true)] }], tools: [bash] },
    content: [DONE],
    stop: 'end_turn',
  },
  {
    title: 'a stop sequence that comes in two tokens',
    request: { messages: ask('#stop'), stop_sequences: ['STOP HERE'] },
    content: [text(expect.stringMatching(/^alpha beta ?$/))],
  },
  {
    title: 'a limit of output',
    request: { messages: ask('#endless'), max_tokens: 5 },
    content: [text('one two three four five')],
    stop: 'max_tokens',
  },
  {
    title: 'a system message within the conversation',
    request: {
      messages: [
        ...ask('One.'),
        { role: 'assistant', content: 'Yes.' },
        { role: 'system', content: 'Be brief.' },
        ...ask('Hi'),
      ],
    },
    content: [HELLO],
  },
  {
    title: 'an image, which this model cannot see',
    request: {
      messages: ask([
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: pngImage().toString('base64') } },
        { type: 'text', text: 'What colour is this?' },
      ]),
    },
    content: [HELLO],
    stop: 'end_turn',
  },
];

const modes = [
  { mode: 'whole', stream: false },
  { mode: 'streamed', stream: true },
];

async function send(url: string, request: Case['request'], stream: boolean): Promise<Anthropic.Message> {
  const client = new Anthropic({ baseURL: url, apiKey: 'any', maxRetries: 0 });
  const whole = { model: 'claude-sonnet-5', max_tokens: 400, ...request };
  return stream ? client.messages.stream(whole).finalMessage() : client.messages.create(whole);
}

for (const { mode, stream } of modes) {
  test.for(cases)(`$title, ${mode}`, async ({ request, content, stop }, { stage }) => {
    const message = await send(stage.proxy.url, request, stream);
    expect(message.content).toEqual(content);
    if (stop !== undefined) expect(message.stop_reason).toBe(stop);
    expect(message.usage.input_tokens + (message.usage.cache_read_input_tokens ?? 0)).toBeGreaterThan(0);
    expect(message.usage.output_tokens).toBeGreaterThan(0);
  });

  test(`an answer in the form of a schema, ${mode}`, async ({ stage }) => {
    const schema = {
      type: 'object',
      properties: { animal: { type: 'string', enum: ['cat', 'dog'] }, legs: { type: 'integer' } },
      required: ['animal', 'legs'],
      additionalProperties: false,
    };
    const request = {
      messages: ask('A cat has four legs.'),
      output_config: { format: { type: 'json_schema', schema } },
    };
    const message = await send(stage.proxy.url, request as Case['request'], stream);
    const [block] = message.content;
    expect(JSON.parse(block?.type === 'text' ? block.text : '')).toEqual({ animal: 'cat', legs: 4 });
  });
}
