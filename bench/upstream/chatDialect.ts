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
