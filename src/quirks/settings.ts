import type { JsonObject } from '../core/json.ts';

/**
 * What makes one provider or model differ from another, as data (decision 0003). Shared code asks a setting, never a
 * provider's name. A value comes from the default here, the preset, the preset's model, or `QUIRK_<NAME>` in the env file,
 * the later winning. `docs/ENVIRONMENT.md` is generated from this table.
 */
type Kind =
  | { readonly kind: 'choice'; readonly values: readonly string[]; readonly fallback: string }
  | { readonly kind: 'flag'; readonly fallback: boolean }
  | { readonly kind: 'number'; readonly fallback: number; readonly minimum: number; readonly maximum: number }
  | { readonly kind: 'optionalNumber'; readonly minimum: number; readonly maximum: number }
  | { readonly kind: 'list'; readonly fallback: readonly string[] }
  | { readonly kind: 'json' };

export type QuirkRow = Kind & { readonly about: string };

const choice = <const V extends readonly string[]>(values: V, fallback: V[number], about: string) =>
  ({ kind: 'choice', values, fallback, about }) as const;
const flag = (fallback: boolean, about: string) => ({ kind: 'flag', fallback, about }) as const;
const number = (fallback: number, minimum: number, maximum: number, about: string) =>
  ({ kind: 'number', fallback, minimum, maximum, about }) as const;
const optionalNumber = (minimum: number, maximum: number, about: string) =>
  ({ kind: 'optionalNumber', minimum, maximum, about }) as const;
const list = (fallback: readonly string[], about: string) => ({ kind: 'list', fallback, about }) as const;
const json = (about: string) => ({ kind: 'json', about }) as const;

/** OpenAI's two APIs: chat completions and Responses. What a model takes may differ between them. */
export type OpenaiProtocol = 'chat' | 'responses';

const DAY_MS = 86_400_000;
const TOKENS_MAX = 100_000_000;

export const quirkTable = {
  // Content
  inlineSystem: choice(
    ['fold', 'system', 'developer', 'hoist'],
    'fold',
    'Where system messages inside the conversation go.',
  ),
  systemRole: choice(['system', 'developer'], 'system', 'Role of the leading system message.'),
  content: choice(
    ['parts', 'string'],
    'parts',
    'How several text parts are sent: as an array, or joined for servers that refuse arrays.',
  ),
  vision: flag(true, 'Whether the model sees images; else each becomes a line of text that says so.'),
  imageUrls: choice(
    ['any', 'data'],
    'any',
    'Which image addresses the server takes: any, or only data: URLs (a web address then becomes a line of text).',
  ),
  pdf: flag(false, 'Whether the server takes PDF documents as file parts.'),
  toolImages: choice(
    ['after', 'inline'],
    'after',
    'Where images of a tool result go: into a user message after it, or inline.',
  ),
  textAfterTools: choice(
    ['user', 'merge', 'reminders'],
    'user',
    'Text beside tool results: a user message of its own, or appended to the last result, so that the model keeps its reasoning: all of it, or only the reminders of Claude Code.',
  ),
  emptyContent: choice(['empty', 'null', 'omit'], 'empty', 'Content of an assistant message that has only tool calls.'),
  prefill: choice(
    ['pass', 'partial', 'prefix', 'user'],
    'pass',
    'A conversation that ends with the assistant: as it is, marked `partial` or `prefix`, or followed by a user line.',
  ),
  needsUser: flag(false, 'Whether the server refuses a conversation without a user message.'),
  cacheControl: flag(false, 'Whether cache breakpoints are passed on.'),
  elideSkills: list([], 'Skills whose text is left out of the conversation, because it only helps Claude.'),
  // Tools
  toolId: choice(
    ['keep', 'functions', 'nine'],
    'keep',
    'Form of the tool call ids in the history: as they are, functions.NAME:N, or nine letters and digits.',
  ),
  toolsMax: optionalNumber(
    1,
    10_000,
    'Most tools that the server takes in one request; docs/TOOLS.md says which stay where there are more.',
  ),
  toolNameMax: number(64, 16, 128, 'Longest tool name the server takes.'),
  toolResultName: flag(false, 'Whether tool messages carry the name of the tool.'),
  strictTools: flag(false, 'Whether `strict` of a tool is passed on.'),
  schema: choice(
    ['openai', 'openapi', 'mfjs'],
    'openai',
    'Dialect of tool schemas: JSON schema, the subset of OpenAPI 3.0, or MFJS.',
  ),
  defer: choice(
    ['all', 'progressive'],
    'all',
    'Tools with defer_loading: sent at once, or when a tool reference names them.',
  ),
  toolChoice: choice(
    ['full', 'auto_none', 'auto', 'omit'],
    'full',
    'Which tool_choice the server takes: all, only auto and none, only auto, or none at all. "none" that it does not take removes the tools.',
  ),
  forcedTools: choice(
    ['yes', 'no_thinking', 'alone', 'auto'],
    'yes',
    'A forced tool choice: sent, sent with thinking off, a named tool sent as "required" with that tool alone, or lowered to auto.',
  ),
  parallelToolCalls: flag(true, 'Whether parallel_tool_calls may be sent.'),
  webSearch: choice(
    ['off', 'native', 'emulate', 'provider'],
    'off',
    'Server-side web search: `native` by the fields of WEB_SEARCH_BODY, `provider` by the web search of the Responses API, whose results and citations are passed on.',
  ),
  webSearchBody: json('With native web search: fields that switch it on, merged into a request that asks for it.'),
  thoughtSignature: flag(
    false,
    'Whether tool calls carry a thought signature in extra_content, which the server wants back or a stand-in for it.',
  ),
  toolText: flag(false, 'Whether tool calls that leaked into the text are recognised.'),
  toolArgs: choice(
    ['live', 'buffer'],
    'live',
    'Tool arguments: streamed as they come, or held until complete and repaired.',
  ),
  argsCumulative: flag(false, 'Whether each arguments delta repeats all that came before.'),
  // Reasoning
  reasoningStyle: choice(
    ['effort', 'effort_off', 'thinking', 'enable_thinking', 'reasoning', 'none'],
    'effort',
    'How reasoning is asked for; `effort_off` only turns it off, by the effort "none", and leaves its depth to the server.',
  ),
  thinkingOn: choice(['enabled', 'adaptive'], 'enabled', 'Value of thinking.type that turns reasoning on.'),
  thinkingOff: flag(true, 'Whether reasoning can be turned off.'),
  thinkingNeedsStream: flag(false, 'Whether reasoning must be off in a request that is not streamed.'),
  thinkingKeep: choice(
    ['none', 'keep_all', 'clear_false'],
    'none',
    'How the server is asked to keep the reasoning of earlier turns.',
  ),
  efforts: list(['low', 'medium', 'high'], 'Efforts the model takes, weakest first; others are moved to the nearest.'),
  effortField: choice(
    ['reasoning_effort', 'effort', 'thinking.effort'],
    'reasoning_effort',
    'Name of the field that carries the effort.',
  ),
  defaultEffort: choice(
    ['', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'],
    '',
    'Effort sent when the client names none.',
  ),
  effortWithTools: choice(
    ['send', 'none', 'omit'],
    'send',
    'The effort when tools are present: sent, replaced by "none", or left out.',
  ),
  reasoningReplay: choice(
    ['reasoning_content', 'reasoning', 'reasoning_details', 'think_tag', 'encrypted', 'reasoning_text', 'none'],
    'none',
    'Where earlier reasoning goes in the history; `encrypted` and `reasoning_text` are forms of the Responses API.',
  ),
  reasoningRequired: choice(
    ['no', 'placeholder', 'empty'],
    'no',
    'What stands in for missing reasoning beside tool calls.',
  ),
  thinkTags: choice(['auto', 'on', 'off'], 'auto', 'Whether <think> at the start of the text is reasoning.'),
  thinkOpen: flag(false, 'Whether a lone </think> closes reasoning that was never opened.'),
  lateReasoning: choice(['drop', 'block'], 'drop', 'Reasoning that comes after the text has begun.'),
  reasoningCumulative: flag(false, 'Whether reasoning deltas may repeat all the reasoning that came before.'),
  // Sampling and limits
  maxTokensField: choice(['max_tokens', 'max_completion_tokens'], 'max_tokens', 'Name of the output limit.'),
  maxOutput: optionalNumber(1, TOKENS_MAX, 'Largest output limit, in tokens.'),
  minOutput: number(0, 0, TOKENS_MAX, 'Smallest output limit, in tokens: reasoning models answer nothing below.'),
  contextWindow: optionalNumber(1, TOKENS_MAX, 'Context window in tokens.'),
  silentTruncation: flag(
    false,
    'Whether the server cuts input that is too long for its context without an error, and reports the usage of what is left.',
  ),
  clampOutput: flag(
    false,
    'Whether the output limit is lowered so that it fits the context window beside the estimated input.',
  ),
  topK: flag(false, 'Whether top_k is sent.'),
  temperatureMin: number(0, 0, 2, 'Lowest temperature the server takes.'),
  temperatureMax: number(2, 0, 2, 'Highest temperature the server takes.'),
  topPMin: number(0, 0, 1, 'Lowest top_p the server takes.'),
  oneSampler: flag(false, 'Whether only temperature is sent when both samplers are given.'),
  stopMax: number(4, 0, 100, 'How many stop strings the server takes.'),
  stopBytes: optionalNumber(1, 10_000, 'Longest stop string in bytes; longer ones are matched here.'),
  localStop: flag(false, 'Whether stop strings that the server does not take are matched in the answer here.'),
  jsonMode: choice(['schema', 'object', 'none'], 'schema', 'Structured output the server offers.'),
  samplers: choice(
    ['always', 'without_reasoning'],
    'always',
    'Whether temperature and top_p may be sent while the model reasons.',
  ),
  dropParams: list([], 'Request fields that are never sent.'),
  extraBody: json('Fields merged last into every request.'),
  streamBody: json('Fields merged last into every streaming request.'),
  // The Responses API
  instructions: choice(
    ['field', 'developer', 'system'],
    'field',
    'Responses API: where the system prompt goes: into `instructions`, or into a first message of this role.',
  ),
  summary: choice(
    ['auto', 'concise', 'detailed', 'off'],
    'auto',
    'Responses API: which summary of the reasoning is asked for, to be shown as thinking.',
  ),
  includeEncrypted: flag(
    true,
    'Responses API: whether encrypted reasoning is asked for, which brings the thoughts back in the next turn.',
  ),
  reasoningContext: choice(
    ['', 'auto', 'current_turn', 'all_turns'],
    '',
    'Responses API: of which turns the model sees its earlier reasoning; left to the model where empty.',
  ),
  cacheTtl: choice(
    ['', '30m', '12h'],
    '',
    'Responses API: how long at least the provider keeps what it writes to its prompt cache; 12h costs twice the input.',
  ),
  outputHeadroom: number(
    4096,
    0,
    TOKENS_MAX,
    'Responses API: tokens added to the output limit where reasoning was not wished but cannot be turned off.',
  ),
  phase: flag(false, 'Responses API: whether the texts of earlier answers carry their phase.'),
  assistantText: choice(
    ['parts', 'string'],
    'parts',
    'Responses API: texts of earlier answers as a list of parts, or as a string for servers that refuse those.',
  ),
  fileDetail: choice(['', 'low', 'high'], '', 'Responses API: in which detail the pages of a PDF are looked at.'),
  obfuscation: flag(true, 'Responses API: whether the padding of streams is left on, with nothing said about it.'),
  terminalRepair: flag(
    false,
    'Responses API: whether a stream that ends without its last event is complete, for gateways that never send one.',
  ),
  verbosity: choice(['', 'low', 'medium', 'high'], '', 'Responses API: how much the model writes.'),
  serviceTier: choice(
    ['', 'default', 'flex', 'priority'],
    '',
    'Responses API: the class of service, which has prices of its own.',
  ),
  fallbackChat: flag(
    true,
    'Responses API: whether a model that goes this way by itself goes by chat completions where the server does not know it.',
  ),
  // Native endpoints of the Messages API, where nothing else is changed
  dropBetas: list([], 'Native endpoint: beta features that are not sent on, by their name or its beginning.'),
  dropCacheControl: flag(
    false,
    'Native endpoint: whether cache breakpoints are left out, for a server that refuses them.',
  ),
  foldSystem: flag(
    false,
    'Native endpoint: whether system messages inside the conversation are folded into their neighbours, for a server that refuses or moves them.',
  ),
  plainToolReferences: flag(
    false,
    'Native endpoint: whether tools that a search has found are named in text and offered like others, for a server that refuses tool_reference.',
  ),
  verifiesSignatures: flag(
    false,
    'Native endpoint: whether thinking signatures are verified, as Anthropic does: thinking whose signature cannot be its own is left out.',
  ),
  effortNeedsThinking: flag(
    false,
    'Native endpoint: whether an effort beside disabled thinking is refused, and left out then.',
  ),
  unwrapToolInput: flag(
    false,
    'Native endpoint: whether tool input may arrive as a string or wrapped in an object, and is unwrapped.',
  ),
  // Identity and usage
  cacheKey: flag(false, 'Whether prompt_cache_key is sent, a hash of the session.'),
  userField: flag(false, 'Whether user is sent, a hash of the session.'),
  upstreamStream: flag(
    true,
    'Whether the server streams; else it is asked for whole answers, which are streamed from here.',
  ),
  streamUsage: flag(true, 'Whether stream_options.include_usage is sent.'),
  usageWaitMs: number(1000, 0, 60_000, 'How long to wait for the usage after the answer has finished, in ms.'),
  contentFilter: choice(['auto', 'refusal', 'end_turn'], 'auto', 'Stop reason of a filtered answer.'),
  // Time
  pingMs: number(15_000, 100, 280_000, 'Silence after which a ping is sent, in ms.'),
  headerWaitMs: number(20_000, 100, DAY_MS, 'Silence of the upstream after which the answer begins with pings, in ms.'),
  connectTimeoutMs: number(10_000, 100, DAY_MS, 'Time to connect, in ms.'),
  idleTimeoutMs: number(
    360_000,
    100,
    DAY_MS,
    'Silence within an answer after which it is given up, in ms; the client is kept waiting by pings.',
  ),
} as const satisfies Record<string, QuirkRow>;

export type QuirkName = keyof typeof quirkTable;

type ValueOf<R extends QuirkRow> = R extends { kind: 'choice'; values: readonly (infer V)[] }
  ? V
  : R extends { kind: 'flag' }
    ? boolean
    : R extends { kind: 'number' }
      ? number
      : R extends { kind: 'optionalNumber' }
        ? number | undefined
        : R extends { kind: 'list' }
          ? readonly string[]
          : JsonObject | undefined;

export type QuirkSettings = { readonly [K in QuirkName]: ValueOf<(typeof quirkTable)[K]> };

function fallbackOf(row: QuirkRow): unknown {
  return 'fallback' in row ? row.fallback : undefined;
}

/** The settings of a provider that differs from nothing: the base that presets are laid over. */
export const defaultSettings = Object.fromEntries(
  Object.entries(quirkTable).map(([name, row]) => [name, fallbackOf(row)]),
) as QuirkSettings;

/**
 * What the Responses API has other than chat completions, whoever offers it: laid over the settings of preset and model, which are
 * those of chat completions, and under those that they have for this API.
 */
export const responsesSettings = {
  toolImages: 'inline',
  prefill: 'user',
  effortWithTools: 'send',
  reasoningReplay: 'encrypted',
  minOutput: 16,
  stopMax: 0,
  localStop: true,
  // Fields of chat completions.
  dropParams: [],
  extraBody: undefined,
  streamBody: undefined,
  // A model may think for minutes without a word.
  idleTimeoutMs: 900_000,
} as const satisfies Partial<QuirkSettings>;

/** Lays partial settings over each other, later ones winning. */
export function mergeSettings(...layers: readonly Partial<QuirkSettings>[]): QuirkSettings {
  return Object.assign({}, defaultSettings, ...layers) as QuirkSettings;
}

/** `maxTokensField` -> `QUIRK_MAX_TOKENS_FIELD`. */
export function environmentName(setting: string): string {
  return `QUIRK_${setting.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
