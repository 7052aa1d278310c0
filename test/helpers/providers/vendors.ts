import { isObject, type JsonObject } from '../../../src/core/json.ts';
import { lintRequest } from '../chatLint.ts';
import { lintResponses } from '../responsesLint.ts';
import { inputOf } from '../responsesTurn.ts';
import { deepseek } from './deepseek.ts';
import { gemini } from './gemini.ts';
import { glm } from './glm.ts';
import { linkedImages, list, messagesOf, thinkingOf, unknownFields } from './inspect.ts';
import { kimi } from './kimi.ts';
import { minimax } from './minimax.ts';
import type { Body } from './scriptedProvider.ts';

// What each vendor answers 400 to, as data. Sources: those of the presets in src/providers, and docs/PROVIDERS.md; as of 2026-11-29.

/** One thing that a vendor refuses. */
interface Refusal {
  /** Models that do; all where it is absent. */
  readonly of?: RegExp;
  readonly when: (body: Body) => boolean;
  /** The vendor's words where they are known. */
  readonly words: string;
}

export type Api = 'chat/completions' | 'responses' | 'messages';

export interface Vendor {
  /** Value of PROVIDER. */
  readonly preset: string;
  /** Further lines of the env file. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The end of the path that is asked. */
  readonly api: Api;
  /** Rules that stand elsewhere, in place of those of the pickiest server of its API. */
  readonly refuse?: (body: Body) => string[];
  readonly refusals?: readonly Refusal[];
  /** Fields of a call that must come back with it. */
  readonly callExtra?: JsonObject;
  /** What a client that knows the models writes in place of `thinking: disabled`. */
  readonly off?: JsonObject;
}

const has = (name: string) => (body: Body) => body[name] !== undefined;
const hasTools = (body: Body) => body['tools'] !== undefined;
const above = (name: string, limit: number) => (body: Body) => Number(body[name]) > limit;
const below = (name: string, limit: number) => (body: Body) => Number(body[name]) < limit;
const tooManyTools = (body: Body) => list(body['tools']).length > 128;
const effortOf = (body: Body): unknown =>
  isObject(body['reasoning']) ? body['reasoning']['effort'] : body['reasoning_effort'];
const effortNotIn =
  (...efforts: string[]) =>
  (body: Body) =>
    effortOf(body) !== undefined && !efforts.includes(String(effortOf(body)));
const isForced = ({ tool_choice: choice }: Body) => choice !== undefined && choice !== 'auto' && choice !== 'none';
const roleAfter = (before: string, role: string) => (body: Body) =>
  messagesOf(body).some((message, index, all) => message.role === role && all[index - 1]?.role === before);
const unknownTo = (known: string) => (body: Body) => unknownFields(body, known.split(' ')).length > 0;

/** What Python's `re` does not compile. */
const badPattern = (body: Body) => /"pattern":"[^"]*(?:\\\\p\{|\(\?<[a-z])/.test(JSON.stringify(body['tools'] ?? []));
const ofReasoning = /^(?:gpt-5|gpt-6|o\d)/;
const openaiModels: readonly Refusal[] = [
  { when: tooManyTools, words: "Invalid 'tools': array too long. Expected an array with maximum length 128." },
  { when: badPattern, words: "Invalid schema for function: pattern is not a 'regex'." },
];
const openaiChat: readonly Refusal[] = [
  ...openaiModels,
  {
    of: /^(?:gpt-6-astra|gpt-6\.1-sol)/,
    when: hasTools,
    words: 'Function tools with reasoning are not supported in /v1/chat/completions. Please use /v1/responses instead.',
  },
  {
    of: /^(?:gpt-6|gpt-5\.[4-6])/,
    when: (body) => hasTools(body) && body['reasoning_effort'] !== 'none',
    words: 'Function tools with reasoning_effort are not supported in /v1/chat/completions.',
  },
  {
    of: ofReasoning,
    when: has('max_tokens'),
    words: "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'.",
  },
  {
    of: ofReasoning,
    when: has('temperature'),
    words: "Unsupported value: 'temperature'. Only the default is supported.",
  },
  { of: ofReasoning, when: has('stop'), words: "Unsupported parameter: 'stop' is not supported with this model." },
  {
    of: /^gpt-6/,
    when: effortNotIn('none', 'low', 'medium', 'high', 'xhigh'),
    words: "Unsupported value: 'reasoning_effort'.",
  },
];
const openaiResponses: readonly Refusal[] = [
  ...openaiModels,
  {
    of: /^(?:gpt-6-astra|gpt-6\.1-sol)/,
    when: effortNotIn('low', 'medium', 'high', 'xhigh', 'max'),
    words: "Unsupported value: 'reasoning.effort'.",
  },
  {
    of: /^(?:gpt-6|gpt-5\.6)/,
    when: effortNotIn('none', 'low', 'medium', 'high', 'xhigh', 'max'),
    words:
      "Unsupported value: 'reasoning.effort'. Supported values are: 'none', 'low', 'medium', 'high', 'xhigh', 'max'.",
  },
  {
    of: ofReasoning,
    when: (body) => effortOf(body) !== 'none' && (has('temperature')(body) || has('top_p')(body)),
    words: "Unsupported parameter: 'temperature' is not supported with this model.",
  },
  { when: below('max_output_tokens', 16), words: "Invalid 'max_output_tokens': integer below minimum value." },
  { when: above('max_output_tokens', 128_000), words: "Invalid 'max_output_tokens': integer above maximum value." },
  {
    of: ofReasoning,
    when: (body) => body['include'] === undefined,
    words: 'the reasoning is lost: neither kept at the server nor given out',
  },
];

const kimiRefusals: readonly Refusal[] = [
  {
    when: (body) => has('temperature')(body) && body['temperature'] !== 1,
    words: 'invalid temperature: only 1 is allowed for this model',
  },
  { when: tooManyTools, words: 'tools: at most 128' },
];
const noneOfKimi: readonly Refusal[] = [
  {
    when: (body) => ['off', 'none'].includes(String(thinkingOf(body)['effort'] ?? body['reasoning_effort'])),
    words: 'invalid thinking effort',
  },
];

const thinks = (body: Body) => thinkingOf(body)['type'] !== 'disabled';
const toolTurnWithoutThinking = (body: Body) =>
  messagesOf(body).some(({ role, content }) => {
    const types = list(content).map(({ type }) => type);
    return role === 'assistant' && types.includes('tool_use') && !types.includes('thinking');
  });

/** Models for presets that name none. */
const ownModels = (big: string, small = big) => ({ BIG_MODEL: big, MIDDLE_MODEL: big, SMALL_MODEL: small });

export const vendors: readonly Vendor[] = [
  { preset: 'openai', api: 'responses', refusals: openaiResponses },
  {
    preset: 'openai',
    settings: { PROTOCOL: 'chat' },
    api: 'chat/completions',
    refusals: openaiChat,
  },
  {
    preset: 'azure',
    settings: ownModels('gpt-6.1-sol', 'gpt-6-luna'),
    api: 'responses',
    refusals: openaiResponses,
  },
  {
    preset: 'xai',
    api: 'responses',
    refusals: [
      { when: effortNotIn('low', 'medium', 'high', 'xhigh'), words: 'Argument not supported: reasoning.effort' },
      { when: has('safety_identifier'), words: 'Argument not supported: safety_identifier' },
      { when: tooManyTools, words: 'tools: at most 128' },
      {
        when: (body) =>
          inputOf({ body }).some(
            ({ type, summary, content }) => type === 'reasoning' && (!summary || content === null),
          ),
        words: 'Could not decode the compaction blob',
      },
    ],
  },
  { preset: 'kimi', api: 'chat/completions', refuse: kimi.refuse, refusals: kimiRefusals },
  { preset: 'kimi-coding', api: 'chat/completions', refuse: kimi.refuse, refusals: [...kimiRefusals, ...noneOfKimi] },
  { preset: 'glm', api: 'chat/completions', refuse: glm.refuse },
  { preset: 'glm-coding', api: 'chat/completions', refuse: glm.refuse },
  {
    preset: 'minimax',
    api: 'chat/completions',
    refuse: minimax.refuse,
    refusals: [
      {
        when: effortNotIn('low', 'medium', 'high', 'xhigh', 'max'),
        words: 'invalid params, reasoning_effort (2013)',
      },
    ],
  },
  {
    preset: 'gemini',
    api: 'chat/completions',
    refuse: gemini.refuse,
    refusals: [
      { of: /^gemini-(?:4|3\.[5-9])/, when: has('temperature'), words: 'temperature is not supported' },
      { of: /^gemini-4-(?:argon|carbon)/, when: effortNotIn('low', 'medium', 'high'), words: 'reasoning_effort' },
    ],
    callExtra: { extra_content: { google: { thought_signature: 'c2lnbmF0dXJl' } } },
  },
  { preset: 'deepseek', api: 'chat/completions', refuse: deepseek.refuse },
  {
    preset: 'qwen',
    api: 'chat/completions',
    refusals: [
      {
        when: (body) => body['enable_thinking'] === true && body['stream'] !== true,
        words: 'parameter.enable_thinking must be set to false for non-streaming calls',
      },
      {
        when: (body) => body['enable_thinking'] !== false && isForced(body),
        words: 'tool_choice is not supported in thinking mode',
      },
      { when: (body) => below('thinking_budget', 1)(body), words: 'thinking_budget must be a positive integer' },
      { of: /^qwen3\.7/, when: above('max_tokens', 65_536), words: 'Range of max_tokens should be [1, 65536]' },
      { when: above('max_tokens', 131_072), words: 'Range of max_tokens should be [1, 131072]' },
    ],
  },
  {
    preset: 'openrouter',
    api: 'chat/completions',
    // It knows Anthropic's marks for the cache.
    refuse: (body) => PICKIEST['chat/completions'](body).filter((problem) => !problem.endsWith('field cache_control')),
    refusals: [
      {
        when: effortNotIn('minimal', 'low', 'medium', 'high', 'xhigh', 'none'),
        words: 'Invalid option: reasoning.effort',
      },
      {
        when: (body) => has('reasoning')(body) && has('reasoning_effort')(body),
        words: 'Only one of "reasoning" and "reasoning_effort" may be provided',
      },
      { when: has('thinking'), words: 'Unrecognized key: "thinking"' },
    ],
  },
  {
    preset: 'groq',
    api: 'chat/completions',
    refusals: [
      {
        of: /gpt-oss/,
        when: effortNotIn('low', 'medium', 'high'),
        words: '`reasoning_effort` must be low, medium or high',
      },
      { when: tooManyTools, words: "'tools' : maximum number of items is 128" },
      {
        when: (body) => messagesOf(body).some((message) => 'reasoning_content' in message),
        words: "property 'reasoning_content' is unsupported",
      },
      { when: above('max_completion_tokens', 65_536), words: '`max_completion_tokens` must be at most 65536' },
    ],
  },
  {
    preset: 'mistral',
    api: 'chat/completions',
    refusals: [
      {
        when: unknownTo(
          'model messages tools tool_choice parallel_tool_calls stream max_tokens temperature top_p stop response_format reasoning_effort',
        ),
        words: 'extra_forbidden: Extra inputs are not permitted',
      },
      { when: effortNotIn('none', 'high'), words: 'reasoning_effort: Input should be none or high' },
      { when: roleAfter('tool', 'user'), words: "Unexpected role 'user' after role 'tool'" },
      { when: tooManyTools, words: 'tools: at most 128' },
      {
        when: (body) =>
          messagesOf(body)
            .flatMap(({ tool_calls: calls }) => list(calls))
            .some(({ id }) => !/^[A-Za-z0-9]{9}$/.test(String(id))),
        words: 'Tool call id must be a-z, A-Z, 0-9, with a length of 9.',
      },
    ],
  },
  {
    preset: 'ollama',
    settings: ownModels('qwen2.5-coder'),
    api: 'chat/completions',
    refusals: [
      { when: effortNotIn('none'), words: '"qwen2.5-coder" does not support thinking' },
      { when: (body) => linkedImages(body).length > 0, words: 'invalid image input' },
    ],
  },
  {
    preset: 'vllm',
    settings: ownModels('own-model'),
    api: 'chat/completions',
  },
  {
    preset: 'llamacpp',
    settings: ownModels('own-model'),
    api: 'chat/completions',
    refusals: [{ when: ({ tool_choice: choice }) => isObject(choice), words: 'tool_choice is read as "auto"' }],
  },
  {
    preset: 'lmstudio',
    settings: ownModels('own-model'),
    api: 'chat/completions',
    refusals: [
      {
        when: ({ tool_choice: choice }) => isObject(choice),
        words: "Invalid tool_choice type: 'object'. Supported string values: none, auto, required",
      },
    ],
  },
  {
    preset: 'anthropic',
    api: 'messages',
    refusals: [
      {
        of: /(?:opus|sonnet)-5-5/,
        when: (body) => thinkingOf(body)['type'] === 'disabled',
        words: 'thinking.type: "disabled" is not supported on this model',
      },
      {
        of: /(?:opus|sonnet)-5-5/,
        when: ({ tool_choice: choice }) => isObject(choice) && choice['type'] !== 'auto',
        words: 'tool_choice',
      },
    ],
    off: {},
  },
  {
    preset: 'kimi-anthropic',
    api: 'messages',
    refusals: [{ of: /k3/, when: has('thinking'), words: 'thinking: this model takes no such parameter' }],
  },
  { preset: 'kimi-coding-anthropic', api: 'messages' },
  { preset: 'glm-anthropic', api: 'messages' },
  { preset: 'minimax-anthropic', api: 'messages' },
  {
    preset: 'deepseek-anthropic',
    api: 'messages',
    refusals: [
      {
        when: (body) => !thinks(body) && JSON.stringify(body['output_config'] ?? {}).includes('effort'),
        words: 'thinking options type cannot be disabled when reasoning_effort is set',
      },
      {
        when: (body) => thinks(body) && toolTurnWithoutThinking(body),
        words: 'content[].thinking in the thinking mode must be passed back to the API',
      },
    ],
  },
  { preset: 'qwen-anthropic', api: 'messages' },
  { preset: 'openrouter-anthropic', api: 'messages' },
  {
    preset: 'ollama-anthropic',
    settings: ownModels('qwen2.5-coder'),
    api: 'messages',
    refusals: [{ when: has('tool_choice'), words: 'tool_choice is not supported' }],
  },
];

const PICKIEST: Readonly<Record<Api, (body: Body) => string[]>> = {
  'chat/completions': (body) => lintRequest({ body, headers: {} }),
  responses: lintResponses,
  messages: () => [],
};

/** Everything that the vendor would refuse in a request. */
export function refusalsOf({ api, refuse = PICKIEST[api], refusals = [] }: Vendor, path: string, body: Body): string[] {
  const fitting = refusals.filter(({ of, when }) => (of === undefined || of.test(body.model)) && when(body));
  return [
    ...(path.replace(/\?.*$/, '').endsWith(`/${api}`) ? [] : [`no endpoint at ${path}`]),
    ...refuse(body),
    ...fitting.map(({ words }) => words),
  ];
}
