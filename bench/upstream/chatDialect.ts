import type { Dialect } from './dialect.ts';

const COMMON = { id: 'chatcmpl-bench', created: 1_790_000_000, model: 'bench' };

function event(choices: readonly object[], more: object = {}): string {
  return `data: ${JSON.stringify({ ...COMMON, object: 'chat.completion.chunk', choices, ...more })}\n\n`;
}

const choice = (delta: object, finish: string | null = null) => ({ index: 0, delta, finish_reason: finish });

function usage(prompt: number, completion: number) {
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

/** OpenAI's chat completions. */
export const chatDialect: Dialect = {
  opening: event([choice({ role: 'assistant', content: '' })]),
  delta: (text) => event([choice({ content: text })]),
  closing: (prompt, completion) =>
    `${event([choice({}, 'stop')])}${event([], { usage: usage(prompt, completion) })}data: [DONE]\n\n`,
  whole: (text, prompt, completion) =>
    JSON.stringify({
      ...COMMON,
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
      usage: usage(prompt, completion),
    }),
};

const call = (name: object, text: string) => ({
  tool_calls: [{ index: 0, ...name, function: { ...('id' in name && { name: 'bench_tool' }), arguments: text } }],
});
const CALL = { id: 'call_bench', type: 'function' };

/** The same, answered with one tool call: the deltas are pieces of `{"text": "..."}`. */
export const chatCalls: Dialect = {
  opening:
    event([choice({ role: 'assistant', content: null, ...call(CALL, '') })]) + event([choice(call({}, '{"text":"'))]),
  delta: (text) => event([choice(call({}, text))]),
  closing: (prompt, completion) =>
    event([choice(call({}, '"}'))]) +
    `${event([choice({}, 'tool_calls')])}${event([], { usage: usage(prompt, completion) })}data: [DONE]\n\n`,
  whole: (text, prompt, completion) =>
    JSON.stringify({
      ...COMMON,
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: null, ...call(CALL, JSON.stringify({ text })) },
          finish_reason: 'tool_calls',
        },
      ],
      usage: usage(prompt, completion),
    }),
};
