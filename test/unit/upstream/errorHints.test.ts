import { expect, test } from 'vitest';
import { type Overflow, readOverflow } from '../../../src/upstream/errorDetails.ts';

interface Case {
  readonly from: string;
  readonly text: string;
  readonly code?: string;
  readonly expected: Overflow | undefined;
}

const cases: Case[] = [
  {
    from: 'OpenAI, messages',
    text: "This model's maximum context length is 131072 tokens. However, your messages resulted in 140000 tokens. Please reduce the length of the messages.",
    expected: { kind: 'prompt', limit: 131072, prompt: 140000 },
  },
  {
    from: 'OpenAI and vLLM, prompt alone too long',
    text: "This model's maximum context length is 8192 tokens. However, you requested 9500 tokens (9000 in the messages, 500 in the completion). Please reduce the length of the messages or completion.",
    expected: { kind: 'prompt', limit: 8192, prompt: 9000, output: 500 },
  },
  {
    from: 'OpenAI and vLLM, prompt fits',
    text: "This model's maximum context length is 8192 tokens. However, you requested 9500 tokens (5500 in the messages, 4000 in the completion).",
    expected: { kind: 'output', limit: 8192, prompt: 5500, output: 4000 },
  },
  {
    from: 'OpenRouter',
    text: "This endpoint's maximum context length is 262144 tokens. However, you requested about 300000 tokens (280000 of text input, 20000 in the output).",
    expected: { kind: 'prompt', limit: 262144, prompt: 280000, output: 20000 },
  },
  { from: 'OpenAI by code', text: 'Too big.', code: 'context_length_exceeded', expected: { kind: 'prompt' } },
  { from: 'OpenAI, newer', text: 'Your input exceeds the context window of this model.', expected: { kind: 'prompt' } },
  {
    from: 'Moonshot',
    text: 'Invalid request: Your request exceeded model token limit : 262144 (requested: 300001)',
    expected: { kind: 'prompt', limit: 262144, prompt: 300001 },
  },
  { from: 'Moonshot, shorter', text: 'Input token length too long', expected: { kind: 'prompt' } },
  { from: 'Zhipu', text: 'Prompt exceeds max length', expected: { kind: 'prompt' } },
  { from: 'MiniMax', text: 'invalid params, context window exceeds limit (2013)', expected: { kind: 'prompt' } },
  {
    from: 'Gemini',
    text: 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
    expected: { kind: 'prompt', limit: 1048576, prompt: 1200000 },
  },
  {
    from: 'xAI',
    text: "This model's maximum prompt length is 131072 but the request contains 140001 tokens.",
    expected: { kind: 'prompt', limit: 131072, prompt: 140001 },
  },
  {
    from: 'DashScope',
    text: '<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 129024]',
    expected: { kind: 'prompt', limit: 129024 },
  },
  {
    from: 'llama.cpp',
    text: '{"error":{"code":400,"message":"the request exceeds the available context size. try increasing it","type":"exceed_context_size_error","n_prompt_tokens":9001,"n_ctx":8192}}',
    expected: { kind: 'prompt', limit: 8192, prompt: 9001 },
  },
  {
    from: 'TGI, prompt fits',
    text: 'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 3000 `inputs` tokens and 2000 `max_new_tokens`',
    expected: { kind: 'output', limit: 4096, prompt: 3000, output: 2000 },
  },
  {
    from: 'Anthropic',
    text: 'prompt is too long: 210000 tokens > 200000 maximum',
    expected: { kind: 'prompt', limit: 200000, prompt: 210000 },
  },
  { from: 'Baidu', text: 'Total tokens in request more than max tokens allowed', expected: { kind: 'prompt' } },
  { from: 'Groq', text: 'Too many tokens for this model', expected: { kind: 'prompt' } },
  {
    from: 'a field limit',
    text: "Invalid 'user': string too long. Expected a string with maximum length 64.",
    expected: undefined,
  },
  {
    from: 'a budget per minute (R416)',
    text: 'Request too large for model on tokens per minute (TPM): Limit 6000, Requested 9000. Please reduce the length of the messages',
    expected: undefined,
  },
  { from: 'another error', text: 'Invalid value for temperature', expected: undefined },
];

test.each(cases)('R404 reads the overflow of $from', ({ text, code, expected }) => {
  expect(readOverflow(text, [code])).toEqual(expected);
});
