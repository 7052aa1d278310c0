import { expect, test } from 'vitest';
import { overflowWords } from '../../../src/providers/wordings/overflowWordings.ts';
import {
  isOutputExhausted,
  type Overflow,
  readOutputLimit,
  readOverflow,
  searchable,
} from '../../../src/upstream/errorDetails.ts';

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
    from: 'llama.cpp, with its numbers in the text',
    text: 'request (12012 tokens) exceeds the available context size (4096 tokens), try increasing it',
    expected: { kind: 'prompt', limit: 4096, prompt: 12012 },
  },
  {
    from: 'Lemonade, another server’s JSON within its message',
    text: 'llama-server answered: {"error":{"code":400,"message":"request (9100 tokens) exceeds the available context size (8192 tokens)","n_ctx":8192,"n_prompt_tokens":9100}}',
    expected: { kind: 'prompt', limit: 8192, prompt: 9100 },
  },
  {
    from: 'another server’s JSON with escaped quotes',
    text: 'upstream: {\\"error\\":{\\"message\\":\\"context window exceeded\\",\\"n_ctx\\":2048,\\"n_prompt_tokens\\":3000}}',
    expected: { kind: 'prompt', limit: 2048, prompt: 3000 },
  },
  {
    from: 'llama-cpp-python',
    text: 'Requested tokens (2065) exceed context window of 1800',
    expected: { kind: 'prompt', limit: 1800, prompt: 2065 },
  },
  {
    from: 'LM Studio, prompt to keep',
    text: 'The number of tokens to keep from the initial prompt is greater than the context length. Try to load the model with a larger context length, or provide a shorter input',
    expected: { kind: 'prompt' },
  },
  {
    from: 'LM Studio, window named',
    text: 'Trying to keep the first 5120 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough.',
    expected: { kind: 'prompt', limit: 4096 },
  },
  {
    from: 'Ollama, by how much',
    text: 'prompt too long; exceeded max context length by 512 tokens (ref: 0)',
    expected: { kind: 'prompt' },
  },
  { from: 'Ollama, embedding', text: 'the input length exceeds the context length', expected: { kind: 'prompt' } },
  {
    from: 'oMLX',
    text: 'Prompt too long: 32799 tokens exceeds max context window of 32768 tokens',
    expected: { kind: 'prompt', limit: 32768, prompt: 32799 },
  },
  {
    from: 'vLLM, output too large',
    text: "'max_tokens' or 'max_completion_tokens' is too large: 16000. This model's maximum context length is 20480 tokens and your request has 8000 input tokens (16000 > 20480 - 8000).",
    expected: { kind: 'output', limit: 20480, prompt: 8000, output: 16000 },
  },
  {
    from: 'vLLM, output and input',
    text: "This model's maximum context length is 131072 tokens. However, you requested 16000 output tokens and your prompt contains at least 115073 input tokens, for a total of at least 131073 tokens. Please reduce the length of the input prompt or the number of requested output tokens.",
    expected: { kind: 'output', limit: 131072, prompt: 115073, output: 16000 },
  },
  {
    from: 'vLLM, no output asked for',
    text: "This model's maximum context length is 65536 tokens. However, you requested 0 output tokens and your prompt contains at least 65537 input tokens",
    expected: { kind: 'prompt', limit: 65536, prompt: 65537, output: 0 },
  },
  {
    from: 'vLLM, decoder',
    text: 'The decoder prompt (length 40000) is longer than the maximum model length of 32768. Make sure that `max_model_len` is no smaller than the number of text tokens.',
    expected: { kind: 'prompt', limit: 32768, prompt: 40000 },
  },
  {
    from: 'vLLM, scheduler',
    text: 'Input prompt (32889 tokens) is too long and exceeds limit of 2048',
    expected: { kind: 'prompt', limit: 2048, prompt: 32889 },
  },
  {
    from: 'SGLang and Together',
    text: "The input (516368 tokens) is longer than the model's context length (262144 tokens).",
    expected: { kind: 'prompt', limit: 262144, prompt: 516368 },
  },
  {
    from: 'SGLang, another form',
    text: 'Input length (9000 tokens) exceeds the maximum allowed length (8191 tokens). Use a shorter input or enable --allow-auto-truncate.',
    expected: { kind: 'prompt', limit: 8191, prompt: 9000 },
  },
  {
    from: 'Workers AI and SGLang, input and completion',
    text: "Requested token count exceeds the model's maximum context length of 256000 tokens. You requested a total of 256878 tokens: 31216 tokens from the input messages and 225662 tokens for the completion.",
    expected: { kind: 'output', limit: 256000, prompt: 31216, output: 225662 },
  },
  {
    from: 'Workers AI, older',
    text: 'The estimated number of input and maximum output tokens (5000) exceeded this model context window limit (4096).',
    expected: { kind: 'prompt', limit: 4096, prompt: 5000 },
  },
  {
    from: 'TGI, input alone',
    text: 'Input validation error: `inputs` must have less than 1024 tokens. Given: 1500',
    expected: { kind: 'prompt', limit: 1024, prompt: 1500 },
  },
  {
    from: 'Amazon Bedrock',
    text: 'Too many input tokens. Max input tokens: 8192, request input token count: 9100 ',
    expected: { kind: 'prompt', limit: 8192, prompt: 9100 },
  },
  { from: 'Amazon Bedrock, shorter', text: 'Input is too long for requested model.', expected: { kind: 'prompt' } },
  {
    from: 'Cohere',
    text: 'too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292. Try using a shorter prompt.',
    expected: { kind: 'prompt', limit: 4081, prompt: 4292 },
  },
  {
    from: 'GitHub Copilot',
    text: 'prompt token count of 131500 exceeds the limit of 128000',
    code: 'model_max_prompt_tokens_exceeded',
    expected: { kind: 'prompt', limit: 128000, prompt: 131500 },
  },
  {
    from: 'GitHub Models',
    text: 'Request body too large for gpt-4.1 model. Max size: 8000 tokens.',
    code: 'tokens_limit_reached',
    expected: { kind: 'prompt', limit: 8000 },
  },
  {
    from: 'Mistral',
    text: 'Prompt contains 65673 tokens and 0 draft tokens, too large for model with 32768 maximum context length',
    expected: { kind: 'prompt', limit: 32768, prompt: 65673 },
  },
  {
    from: 'SiliconFlow',
    text: 'length of prompt_tokens (57535) must be less than max_seq_len (32768).',
    expected: { kind: 'prompt', limit: 32768, prompt: 57535 },
  },
  {
    from: 'TabbyAPI',
    text: 'Prompt length 40000 is greater than max_seq_len 32768',
    expected: { kind: 'prompt', limit: 32768, prompt: 40000 },
  },
  {
    from: 'Volcengine Ark',
    text: 'Total tokens of image and text exceed max message tokens. Request id: 0217',
    expected: { kind: 'prompt' },
  },
  {
    from: 'Volcengine Ark, numbers',
    text: 'Input length 98306 exceeds the maximum length 98304',
    expected: { kind: 'prompt', limit: 98304, prompt: 98306 },
  },
  {
    from: 'Cerebras',
    text: 'Please reduce the length of the messages or completion. Current length is 130000 while limit is 65536',
    expected: { kind: 'prompt', limit: 65536, prompt: 130000 },
  },
  {
    from: 'Fireworks',
    text: 'The prompt is too long: 140000, model maximum context length: 131071',
    expected: { kind: 'prompt', limit: 131071, prompt: 140000 },
  },
  {
    from: 'IBM watsonx',
    text: 'the number of input tokens 9000 cannot exceed the total tokens limit 8192 for this model',
    expected: { kind: 'prompt', limit: 8192, prompt: 9000 },
  },
  { from: 'Tencent Hunyuan', text: 'total message token length exceed model limit', expected: { kind: 'prompt' } },
  {
    from: 'Vertex AI',
    text: 'Unable to submit request because the input token count is 35000 but model only supports up to 32768. Reduce the input token count and try again.',
    expected: { kind: 'prompt', limit: 32768, prompt: 35000 },
  },
  {
    from: 'Anthropic, input and output',
    text: 'input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000, decrease input length or `max_tokens` and try again',
    expected: { kind: 'output', limit: 200000, prompt: 190000, output: 32000 },
  },
  {
    from: 'OpenRouter, text alone',
    text: 'This endpoint\'s maximum context length is 32768 tokens. However, you requested about 42832 tokens (42832 of text input). Please reduce the length of either one, or use the "middle-out" transform',
    expected: { kind: 'prompt', limit: 32768, prompt: 42832 },
  },
  {
    from: 'SambaNova',
    text: 'The maximum context length of the model is 8192. However, answering your request will take 9000 tokens. Please reduce the length of the messages or the specified max_completion_tokens value.',
    expected: { kind: 'prompt', limit: 8192 },
  },
  {
    from: 'OpenAI, older',
    text: 'Input tokens exceed the configured limit of 272000 tokens.',
    expected: { kind: 'prompt' },
  },
  {
    from: 'Moonshot, in bytes',
    text: 'total message size 4300000 exceeds limit 4194304',
    expected: { kind: 'prompt' },
  },
  { from: 'LiteLLM', text: 'litellm.ContextWindowExceededError: BadRequestError', expected: { kind: 'prompt' } },
  { from: 'a name as the message', text: 'model_context_window_exceeded', expected: { kind: 'prompt' } },
  { from: 'a code in capitals', text: 'no', code: 'CONTEXT_LENGTH_EXCEEDED', expected: { kind: 'prompt' } },
  { from: 'a gateway', text: 'token limit exceeded', expected: { kind: 'prompt' } },
  {
    from: 'throttling of Amazon Bedrock',
    text: 'Too many tokens, please wait before trying again.',
    expected: undefined,
  },
  { from: 'a daily budget', text: 'Your daily token limit exceeded', expected: undefined },
  {
    from: 'a model that writes less',
    text: 'max_tokens is too large: 200000. This model supports at most 16384 completion tokens, whereas you provided 200000.',
    expected: undefined,
  },
  { from: 'the length of a name', text: 'tools.0.name: String should have at most 64 characters', expected: undefined },
  { from: 'a model that is unknown', text: 'The model `context-length-7b` does not exist', expected: undefined },
  { from: 'a number that is too high', text: 'n: must be less than or equal to 8', expected: undefined },
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

test('R404 each wording of the table is one that a case shows', () => {
  const shown = cases.filter(({ expected }) => expected !== undefined).map(({ text }) => searchable(text));
  const unshown = overflowWords.filter(({ words }) => !shown.some((text) => words.test(text)));
  expect(unshown.map(({ words }) => String(words))).toEqual([]);
});

test('R404 each case is recognised by its words or its code, and the table knows more than forty ways to say it', () => {
  const said = cases.filter(({ expected, code }) => expected !== undefined && code === undefined);
  expect(said.length).toBeGreaterThan(50);
  for (const { text } of said) expect(overflowWords.some(({ words }) => words.test(searchable(text)))).toBe(true);
});

test('R404 what stands far behind the beginning, as a request that is repeated to us, is not searched', () => {
  expect(readOverflow(`field required; input: ${'x'.repeat(5000)} prompt is too long`, [])).toBeUndefined();
});

test.each([
  [
    'OpenAI',
    'max_tokens is too large: 200000. This model supports at most 16384 completion tokens, whereas you provided 200000.',
    { most: 16384, output: 200000 },
  ],
  [
    'Workers AI',
    'max_completion_tokens is too large: 1298829. This model supports at most 1048576',
    { most: 1048576, output: 1298829 },
  ],
  ['DeepSeek', 'Invalid max_tokens value, the valid range of max_tokens is [1, 8192]', { most: 8192 }],
  ['DashScope', '<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 16384]', { most: 16384 }],
  [
    'Anthropic',
    'max_tokens: 64000 > 32000, which is the maximum allowed number of output tokens for the model',
    { most: 32000, output: 64000 },
  ],
  [
    'Groq',
    '`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the `context_window` for this model',
    { most: 8192 },
  ],
  [
    'Bedrock',
    'The maximum tokens you requested exceeds the model limit of 2048. Try again with a maximum tokens value that is lower than 2048.',
    { most: 2048 },
  ],
  [
    'Vertex AI',
    'Unable to submit request because it has a maxOutputTokens value of 100000 but the supported range is from 1 (inclusive) to 65537 (exclusive).',
    { most: 65536, output: 100000 },
  ],
  ['a conversation', "This model's maximum context length is 8192 tokens.", undefined],
  ['a list of stop words', 'this model supports at most 4 stop sequences', undefined],
])('R405 reads the largest output of %s', (_from, text, expected) => {
  expect(readOutputLimit(text)).toEqual(expected);
  expect(readOverflow(text, [])).toEqual(_from === 'a conversation' ? { kind: 'prompt', limit: 8192 } : undefined);
});

test.each([
  [
    'Could not finish the message because max_tokens or model output limit was reached. Please try again with higher max_tokens.',
    true,
  ],
  ['Could not finish the message because max_tokens was reached.', true],
  ['Provider returned error: max_tokens or model output limit was reached', true],
  ['max_tokens is too large', false],
  ['Could not finish the message because the model is overloaded', false],
])('the output was used up before the first word: %s', (text, expected) => {
  expect(isOutputExhausted(text)).toBe(expected);
  if (expected) expect([readOverflow(text, []), readOutputLimit(text)]).toEqual([undefined, undefined]);
});
