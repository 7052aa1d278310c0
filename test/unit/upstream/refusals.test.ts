import { expect, test } from 'vitest';
import { overflowWords } from '../../../src/providers/wordings/overflowWordings.ts';
import { type RefusalClass, refusalWords } from '../../../src/providers/wordings/refusalWordings.ts';
import {
  classifyRefusal,
  isOutputExhausted,
  readBlockPage,
  readEfforts,
  readOutputLimit,
  readOverflow,
  searchable,
} from '../../../src/upstream/errorDetails.ts';

/** Texts of providers, by what they are about; undefined for those that only look alike. */
const examples: readonly (readonly [RefusalClass | undefined, string])[] = [
  [
    'broken_tool_call',
    "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.",
  ],
  ['broken_tool_call', 'Tool call validation failed: parameters for tool Read did not match schema'],
  ['broken_tool_call', 'The generated call is no JSON, see failed_generation'],
  ['plan_window', "You've reached your usage limit for this period. Your quota will be reset at its beginning."],
  ['plan_window', 'You have reached your monthly usage limit.'],
  ['plan_window', 'Usage limit reached for 5 hour. Your limit will reset at 2026-11-30 04:00:00'],
  ['plan_window', 'Weekly/Monthly Limit Exhausted. Your limit will reset at 2026-12-03 18:33:48'],
  ['plan_window', 'usage limit for this billing cycle is used up'],
  ['plan_window', '5-hour quota exceeded'],
  ['plan_window', 'You have reached your specified API usage limits. You will regain access on 2026-12-01'],
  ['billing', 'Insufficient Balance'],
  ['billing', 'You exceeded your current quota, please check your plan and billing details.'],
  ['billing', 'Access denied: account in arrears'],
  ['billing', 'This request requires more credits, or fewer max_tokens. You requested up to 64000 tokens'],
  [
    'reasoning',
    'The encrypted content gAAA...xyz could not be verified. Reason: Encrypted content could not be decrypted or parsed.',
  ],
  ['reasoning', 'Encrypted content is not supported with this model.'],
  ['reasoning', 'Could not decode the compaction blob'],
  ['reasoning', 'Could not decrypt the provided encrypted_content'],
  ['reasoning', "Item with id 'rs_68af' not found. Items are not persisted when `store` is set to false."],
  ['reasoning', "Item 'rs_1' of type 'reasoning' was provided without its required following item."],
  ['reasoning', "Item 'fc_1' of type 'function_call' was provided without its required 'reasoning' item: 'rs_1'."],
  ['filter', 'Invalid prompt: your prompt was flagged as potentially violating our usage policy.'],
  [
    'filter',
    "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.",
  ],
  ['filter', 'The request was rejected because it was considered high risk'],
  ['filter', 'Input data may contain inappropriate content.'],
  ['filter', 'Content Exists Risk'],
  ['filter', 'System detected potentially unsafe or sensitive content in input or generation.'],
  ['filter', '系统检测到输入或生成内容可能包含不安全或敏感内容，请您避免输入易产生敏感内容的提示语'],
  ['filter', 'input new_sensitive (1026)'],
  [undefined, 'a sensitive field name is not allowed'],
  [undefined, 'No tool output found for function call call_1.'],
  [undefined, 'Duplicate item found with id fc_1'],
  ['image', 'this model does not support image input (ref: b8bd)'],
  ['image', 'Model do not support image input. Request id: 0217'],
  ['image', 'Model does not support images. Please use a model that does.'],
  ['image', 'Multimodal data provided, but model does not support multimodal requests.'],
  ['image', "The model doesn't support the image content block that you provided."],
  ['image', 'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj'],
  [
    'image',
    'Failed to deserialize the JSON body into the target type: messages[0]: unknown variant `image_url`, expected `text` at line 1 column 90',
  ],
  ['image', 'Invalid content type. image_url is only supported by certain models.'],
  ['image', 'No endpoints found that support image input'],
  ['image', 'qwen3-8b is not a multimodal model'],
  ['image', 'At most 0 image(s) may be provided in one request.'],
  ['image', 'Image inputs are not supported by this model.'],
  ['image', 'Image input is not enabled for this model'],
  ['image', "messages.content.type 参数非法，取值范围 ['text']"],
  ['image', 'Unsupported content type: image_url'],
  ['image', 'vision is not supported'],
  [undefined, 'unsupported image format: tiff'],
  [undefined, 'This model does not support image formats other than PNG'],
  [undefined, 'Could not process image'],
  [undefined, 'image size exceeds 5 MB'],
  [undefined, 'messages.0.content.1.image.source.base64: invalid base64 data'],
  ['unserved_model', 'No endpoints found that support tool use. To learn more about provider routing, visit'],
  ['unserved_model', 'No endpoints found for vendor/model-1.5.'],
  ['unserved_model', 'No endpoints available matching your guardrail restrictions and data settings'],
  ['unserved_model', 'No allowed providers are available for the selected model.'],
  ['unknown_model', "model 'qwen3.8' not found"],
  ['unknown_model', 'model "llama4.1:70b" not found, try pulling it first'],
  ['unknown_model', 'The model `gpt-6.1-sol` does not exist or you do not have access to it.'],
  ['unknown_model', 'Not found the model kimi-k2.6 or Permission denied'],
  ['unknown_model', 'Model Not Exist'],
  ['unknown_model', 'Model does not exist. Please check it carefully.'],
  ['unknown_model', 'models/gemini-9.9 is not found for API version v1beta, or is not supported for generateContent.'],
  ['unknown_model', 'The model `mixtral-8x7b` has been decommissioned and is no longer supported.'],
  ['unknown_model', 'vendor/model-7.5 is not a valid model ID'],
  ['unknown_model', 'Unknown model: openai/gpt-9'],
  ['unknown_model', 'Invalid model. Please select a different model to continue.'],
  ['unknown_model', 'Invalid model name passed in model=claude-x. Call `/v1/models` to view available models'],
  ['unknown_model', 'invalid params, unknown model x'],
  ['unknown_model', 'The provided model identifier is invalid.'],
  ['unknown_model', "The 'gpt-5.5-codex' model is not supported when using Codex with this account."],
  ['unknown_model', "The requested model 'org/m-2.5' is not supported by any provider you have enabled."],
  ['unknown_model', 'Project `p` does not have access to model `gpt-6.1`'],
  ['unknown_model', 'Unable to access model org/name. Please visit the list of models'],
  ['unknown_model', 'The API deployment for this resource does not exist.'],
  [undefined, 'Unsupported parameter: top_k is not supported with this model.'],
  [undefined, 'This model requires a system prompt. The file was not found'],
  [undefined, 'Invalid model parameter: temperature'],
  [undefined, 'Function tools are not supported for this model'],
  ['document', 'PDF input is not supported'],
  ['document', 'This file type is not supported by the model'],
  ['effort', "Unsupported value: 'reasoning_effort' does not support 'xhigh' with this model."],
  ['effort', 'output_config.effort "xhigh" is not supported by model claude-opus-4.7; supported values: [medium]'],
  ['effort', 'level "max" not supported, valid levels: low, medium, high, xhigh'],
  ['effort', 'Function tools with reasoning_effort are not supported in /v1/chat/completions.'],
  ['structured_output', 'response_format is not supported'],
  ['structured_output', 'This model does not support structured outputs'],
  ['structured_output', 'Invalid json_schema'],
  [undefined, 'Rate limit reached. Try again in 20s.'],
  [undefined, 'temperature out of range'],
];

const CLASSES = Object.keys(refusalWords) as RefusalClass[];

/** Every class that has a wording for the text, so that none depends on the order in which they are tried. */
function classesOf(text: string): string[] {
  const words = searchable(text);
  const found: string[] = CLASSES.filter((name) => refusalWords[name].some((wording) => wording.words.test(words)));
  if (readOverflow(text, []) !== undefined) found.push('overflow');
  if (readOutputLimit(text) !== undefined) found.push('output_limit');
  if (isOutputExhausted(text)) found.push('output_exhausted');
  return found;
}

test.each(examples)('R402 about %s, and nothing else: %s', (expected, text) => {
  expect(classesOf(text)).toEqual(expected === undefined ? [] : [expected]);
  expect(classifyRefusal(text)).toBe(expected);
});

test('R402 each wording is one that an example shows, names where it was seen, and stands in one class', () => {
  const texts = examples.map(([, text]) => searchable(text));
  const all = CLASSES.flatMap((name) => refusalWords[name]);
  const unshown = all.filter(({ words }) => !texts.some((text) => words.test(text)));
  expect(unshown.map(({ words }) => String(words))).toEqual([]);
  expect([...all, ...overflowWords].filter(({ source }) => source.trim() === '')).toEqual([]);
  const patterns = [...all, ...overflowWords].map(({ words }) => String(words));
  expect(new Set(patterns).size).toBe(patterns.length);
});

test.each([
  ['tool_use_failed', 'broken_tool_call'],
  ['Insufficient_Quota', 'billing'],
  ['billing_hard_limit_reached', 'billing'],
  ['model_not_found', 'unknown_model'],
  ['invalid_reasoning_effort', 'effort'],
  ['constructor', undefined],
  ['invalid_request_error', undefined],
] as const)('R402 the name %s alone is about %s', (name, expected) => {
  expect(classifyRefusal('no', [undefined, name])).toBe(expected);
});

test.each([
  [
    "Unsupported value: 'reasoning_effort' does not support 'xhigh' with this model. Supported values are: 'minimal', 'low', 'medium', and 'high'.",
    ['minimal', 'low', 'medium', 'high'],
  ],
  ['level "max" not supported, valid levels: low, medium, high, xhigh', ['low', 'medium', 'high', 'xhigh']],
  ['effort "xhigh" is not supported by model m; supported values: [medium]', ['medium']],
  ['reasoning_effort must be one of: none, high', ['none', 'high']],
  ['reasoning_effort: Extra inputs are not permitted', []],
  ['effort is too high for this model', []],
])('R141 the efforts that a refusal lists: %s', (text, efforts) => {
  expect(readEfforts(text)).toEqual(efforts);
});

const page = (title: string, rest = '') => `<!DOCTYPE html><html><head><title>${title}</title></head>${rest}</html>`;

test.each([
  ['a block', 403, {}, page('Attention Required! | Cloudflare'), 'Cloudflare'],
  ['a challenge', 503, { 'cf-mitigated': 'challenge' }, page('Just a moment...'), 'Cloudflare'],
  ['another owner', 403, {}, page('Access Denied', '<p>errors.edgesuite.net</p>'), 'Akamai'],
  ['a mark in the headers', 403, { 'cf-ray': '1' }, page('Forbidden'), 'Cloudflare'],
  ['a page of nobody', 403, {}, page('Blocked by your administrator'), 'a firewall or network proxy'],
  ['an origin that is down', 502, {}, page('502 | Cloudflare'), undefined],
  ['a server at work', 503, {}, page('Service Unavailable'), undefined],
  ['JSON', 403, {}, '{"error":"cloudflare"}', undefined],
] as const)('R402 a page in place of an answer: %s', (_name, status, headers, body, owner) => {
  expect(readBlockPage(status, headers, body)).toBe(owner);
});
