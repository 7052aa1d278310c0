/** A provider's way to say something, and where it was seen. */
export interface Wording {
  /** Meets the provider's text in lower case, so it takes time in proportion to it: what repeats is bounded. */
  readonly words: RegExp;
  readonly source: string;
}

/** Codes and types of errors, in lower case, that mean a conversation which is too long. */
export const overflowCodes: ReadonlySet<string> = new Set([
  'context_length_exceeded',
  'context_window_exceeded',
  'model_context_window_exceeded',
  'exceed_context_size_error',
  'model_max_prompt_tokens_exceeded',
  'tokens_limit_reached',
  'prompt_too_long',
]);

/** The conversation is longer than the model's context window, alone or together with the output that is asked for. */
export const overflowWords: readonly Wording[] = [
  {
    words: /\b(?:prompt|input|conversation) (?:is )?too long\b/,
    source: 'Anthropic (platform.claude.com/docs/en/api/errors); Amazon Bedrock; Fireworks; Ollama; jundot/omlx#26',
  },
  {
    words: /maximum context (?:length|limit)/,
    source:
      'OpenAI; vLLM; OpenRouter (refly-ai/refly#1177); Mistral; SambaNova; Workers AI (anomalyco/models.dev#4422)',
  },
  {
    words: /exceed(?:s|ed|ing)? (?:[\w'’]{1,20} ){0,3}context (?:window|size|length|limit)/,
    source:
      'OpenAI; llama.cpp; llama-cpp-python (run-llama/llama_index#8046); Ollama; Anthropic, of input and output; Workers AI',
  },
  {
    words: /(?:longer|greater|larger) than the (?:maximum )?(?:model(?:'s)? )?(?:maximum )?context (?:length|window)/,
    source: 'SGLang and Together; LM Studio (earendil-works/pi#129)',
  },
  { words: /longer than the maximum model length/, source: 'vLLM' },
  { words: /input prompt \(\d{1,15} tokens\) is too long/, source: 'vLLM (vllm-project/vllm#13209)' },
  { words: /exceeds the maximum number of tokens allowed/, source: 'Gemini (google-gemini/gemini-cli#4692)' },
  { words: /but (?:the )?model only supports up to/, source: 'Vertex AI' },
  { words: /exceeded model token limit/, source: 'Moonshot' },
  { words: /input token length too long/, source: 'Moonshot' },
  // Counted in bytes, but a shorter conversation is the remedy here, too.
  { words: /total message size \d{1,15} exceeds limit/, source: 'Moonshot' },
  { words: /input tokens exceed the configured limit/, source: 'OpenAI' },
  { words: /maximum prompt length/, source: 'xAI' },
  { words: /prompt exceeds max(?:imum)? length/, source: 'Zhipu' },
  { words: /tokens in request more than max tokens allowed/, source: 'Baidu' },
  { words: /range of input length should be/, source: 'DashScope' },
  { words: /context window exceeds limit/, source: 'MiniMax' },
  {
    words: /reduce the length of (?:the |your )?(?:input |either )?(?:messages|prompt|one)/,
    source: 'Groq; Cerebras; vLLM (zenstory-ai/oh-story-claudecode#145)',
  },
  {
    words: /`?inputs`? (?:tokens \+ `?max_new_tokens`? must be|must have less than)/,
    source: 'Text Generation Inference',
  },
  { words: /too many (?:input tokens|tokens for (?:this|the) model)/, source: 'Amazon Bedrock; Groq' },
  { words: /number of tokens in the prompt cannot exceed/, source: 'Cohere' },
  { words: /prompt token count (?:of \d{1,15} )?exceeds/, source: 'GitHub Copilot (ericc-ch/copilot-api#210)' },
  { words: /context the overflows/, source: 'LM Studio, in its own spelling' },
  { words: /context[_ ](?:length|window)[_ ]exceeded/, source: 'OpenAI, Zhipu and LiteLLM: the name as the message' },
  { words: /context ?window ?exceeded ?error/, source: 'LiteLLM' },
  { words: /^\W{0,4}(?:the )?token limit (?:was |is |has been )?exceeded/, source: 'gateways (earendil-works/pi#129)' },
  {
    words: /length of prompt_tokens \(\d{1,15}\) must be less than/,
    source: 'SiliconFlow (langgenius/dify#19394, BerriAI/litellm#10188)',
  },
  { words: /greater than max_seq_len/, source: 'TabbyAPI' },
  { words: /exceed max message tokens/, source: 'Volcengine Ark' },
  {
    words: /input length \(?\d{1,15}(?: tokens\))? exceeds the maximum (?:allowed |input )?length/,
    source: 'Volcengine Ark; SGLang',
  },
  {
    words: /body too large for [^ ]{1,80} model\. max size: \d{1,15} tokens/,
    source: 'GitHub Models (cline/cline#2115, tashfeenahmed/freellmapi#426)',
  },
  { words: /total message token length exceed/, source: 'Tencent Hunyuan' },
  { words: /input tokens \d{1,15} cannot exceed the total tokens limit/, source: 'IBM watsonx' },
];

/** What looks like one of them and means something else: a field's own limit, a policy, a budget by time. */
export const overflowLookAlikes: readonly Wording[] = [
  { words: /string too long|string_above_max_length/, source: 'OpenAI: one field is longer than it may be' },
  { words: /tokens per (?:min|day|hour)|\btp[md]\b|rate[_ ]limit/, source: 'OpenAI, Groq: tokens in a time' },
  { words: /data loss|policy/, source: 'Microsoft Purview and other gateways: content that may not leave' },
  { words: /please wait|try again later|\b(?:daily|weekly|monthly)\b/, source: 'Amazon Bedrock: throttling' },
];

/** The output that is asked for is longer than the model writes; the number is the most that it takes. */
export const outputLimitWords: readonly Wording[] = [
  {
    words: /supports at most (\d{1,15})(?: (?:completion|output) tokens|\W{0,3}$)/,
    source: 'OpenAI; Workers AI (anomalyco/models.dev#4422, #5824)',
  },
  {
    words: /range of max_(?:completion_)?tokens (?:is|should be) \[1, ?(\d{1,15})\]/,
    source: 'DeepSeek (CherryHQ/cherry-studio#4377); DashScope',
  },
  { words: /max_tokens: \d{1,15} > (\d{1,15}), which is the maximum/, source: 'Anthropic' },
  {
    words: /max_(?:completion_)?tokens\W{1,3}(?:must|should) be (?:less than or equal to|<=|at most) \W{0,2}(\d{1,15})/,
    source: 'Groq; Volcengine (langgenius/dify#13451)',
  },
  {
    words: /maximum tokens you requested exceeds the model limit of (\d{1,15})/,
    source: 'Amazon Bedrock (aws-samples/bedrock-access-gateway#41)',
  },
  {
    words: /maxoutputtokens value of \d{1,15} but the supported range is from 1 \(inclusive\) to (\d{1,15}) \(/,
    source: 'Vertex AI',
  },
];

/** A model that thinks has used up the whole output before the first word that it could say. */
export const outputExhaustedWords: readonly Wording[] = [
  {
    words: /could not finish the message because max_tokens/,
    source: 'OpenAI and Azure (BerriAI/litellm#35061, ZenMux/zenmux-doc#59)',
  },
  { words: /max_tokens or model output limit was reached/, source: 'OpenAI, within the words of a gateway' },
];

/** A number has a bounded length; what stands between it and its words is short. */
const NUMBER = String.raw`\D{0,4}(\d[\d,]{0,14})`;

/** The context window, the most exact words first. */
export const limitPatterns: readonly RegExp[] = [
  `exceed context limit: \\d{1,15} \\+ \\d{1,15} >`,
  `max_seq_len`,
  `maximum context length of [^ ]{1,80} [^ ]{0,8} ?is`,
  `maximum context (?:length|limit)(?: is| of)?`,
  `maximum prompt length is`,
  `maximum number of tokens allowed`,
  `exceeded model token limit`,
  `range of input length should be \\[\\d{1,15},`,
  `only supports up to`,
  `max_new_tokens\`? must be <=?`,
  `must have less than`,
  `tokens >`,
  `max(?:imum)? input tokens`,
  `(?:total tokens limit|cannot exceed)`,
  `exceeds (?:the )?limit of`,
  `maximum model length of`,
  `maximum (?:allowed |input )?length`,
  `max size:`,
  `while limit is`,
  `context (?:window|size|length)(?: limit)?(?! by)(?: of| is)?(?: only)?`,
  `n_ctx\\\\?"?:`,
]
  .map((words) => new RegExp(words + NUMBER))
  .concat(/(?<![\d,])(\d[\d,]{0,14}) maximum context length/);

/** The length of the conversation. Where a number comes first it is looked for at its first digit only. */
export const promptPatterns: readonly RegExp[] = [
  /(?<![\d,])([\d,]{1,15}) (?:tokens )?(?:in|from|of) (?:the |your )?(?:messages|prompt|input|text input)/,
  /messages resulted in \D{0,3}([\d,]{1,15})/,
  /(?:input|prompt) token count(?: of)?\D{0,4}([\d,]{1,15})/,
  /(?:request contains|received|current length is|number of input tokens) ([\d,]{1,15})/,
  /prompt (?:is )?too long: ([\d,]{1,15})/,
  /exceed context limit: (\d{1,15}) \+/,
  /(?:given:|request has) ([\d,]{1,15})/,
  /n_prompt_tokens\\?":\s{0,4}([\d,]{1,15})/,
  /prompt (?:has|contains) (?:at least )?([\d,]{1,15})/,
  /(?:request|the input|input prompt|prompt_tokens|input length) \((\d{1,15})/,
  /(?:input|prompt|context) (?:length|\(length) (\d{1,15})/,
  /output tokens \((\d{1,15})\) exceeded/,
  /(?<![\d,])([\d,]{1,15}) tokens >/,
  /requested:?\s{0,4}\D{0,8}?([\d,]{1,15})/,
];

/** The length of the output that was asked for. */
export const outputPatterns: readonly RegExp[] = [
  /(?<![\d,])([\d,]{1,15}) (?:tokens )?(?:in|for|of) (?:the |your )?(?:completion|output)/,
  /(?<![\d,])(\d[\d,]{0,14}) `?max_new_tokens`?/,
  /max_(?:completion_|output_)?tokens\W{1,3}is too large: (\d{1,15})/,
  /requested (\d{1,15}) output tokens/,
  /exceed context limit: \d{1,15} \+ (\d{1,15})/,
  /(?:max_tokens:|maxoutputtokens value of|whereas you provided) (\d{1,15})/,
];
