import { delta } from '../fakeUpstream.ts';
import type { Turn } from '../turn.ts';
import { functionsOf, linkedImages, messagesOf, thinkingOf, toolSchemasOf, unknownFields, when } from './inspect.ts';
import { type Body, halves, type ScriptedProvider, untilStop } from './scriptedProvider.ts';

const FIELDS = [
  ...['model', 'messages', 'tools', 'tool_choice', 'stream', 'stream_options', 'max_tokens', 'max_completion_tokens'],
  ...['stop', 'response_format', 'thinking', 'reasoning_effort', 'prompt_cache_key', 'safety_identifier'],
];
/** Keywords that its schema dialect lacks; the server's lenient reading is not relied on. */
const NO_KEYWORDS = ['$ref', 'const', 'pattern', 'format', 'oneOf', 'allOf', 'exclusiveMinimum', '$schema'];

function refuse(body: Body): string[] {
  const { stop, tool_choice: choice } = body;
  const reasons = thinkingOf(body)['type'] !== 'disabled';
  const stops = Array.isArray(stop) ? stop.map(String) : [];
  const names = functionsOf(body).map((tool) => String(tool['name']));
  return [
    ...unknownFields(body, FIELDS).map((name) => `${name}: this model takes no such parameter`),
    ...when(/k3/.test(body.model) && !reasons, 'thinking: this model always thinks'),
    ...when(
      reasons && choice !== undefined && choice !== 'auto' && choice !== 'none',
      `tool_choice '${JSON.stringify(choice)}' is incompatible with thinking enabled`,
    ),
    ...when(stops.length > 5 || stops.some((one) => Buffer.byteLength(one) > 32), 'stop: 5 strings of 32 bytes'),
    ...when(new Set(names).size < names.length, 'function name is duplicated'),
    ...linkedImages(body).map((url) => `unsupported image url: ${url}`),
    ...messagesOf(body)
      .filter(({ role, content, tool_calls: calls }) => role === 'assistant' && !calls && !content)
      .map(() => "message with role 'assistant' must not be empty"),
    ...toolSchemasOf(body).flatMap(({ path, schema }) => [
      ...when(schema['type'] === undefined && schema['anyOf'] === undefined, `${path}: type is missing`),
      ...when(schema['type'] !== undefined && schema['anyOf'] !== undefined, `${path}: type beside anyOf`),
      ...NO_KEYWORDS.filter((word) => word in schema).map((word) => `${path}: ${word}`),
    ]),
  ];
}

const USAGE = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120, cached_tokens: 60 };

/** Its ids count from 0 in every answer. */
const wireCalls = ({ calls = [] }: Turn) =>
  calls.map(({ name, input }, index) => ({
    index,
    id: `${name}:${index}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(input) },
  }));

const finishOf = ({ calls = [] }: Turn) => (calls.length > 0 ? 'tool_calls' : 'stop');

/**
 * Reasoning before the words, calls with their arguments in pieces, usage inside the choice, and the finish repeated as by
 * some relays. Sources: MoonshotAI/kimi-code kimi.ts and chat-completions-stream.ts; farion1231/cc-switch streaming.rs.
 */
export const kimi: ScriptedProvider = {
  name: 'kimi',
  basePath: '/v1',
  refuse,
  errorBody: (message) => ({ error: { type: 'invalid_request_error', message } }),
  stream: (turn, body) => [
    delta({ role: 'assistant', content: '' }),
    ...halves(turn.reasoning ?? '').map((piece) => delta({ reasoning_content: piece })),
    delta({ content: untilStop(turn.text ?? '', body) }),
    ...wireCalls(turn).flatMap((call) => [
      delta({ tool_calls: [{ ...call, function: { name: call.function.name, arguments: '' } }] }),
      ...halves(call.function.arguments).map((piece) =>
        delta({ tool_calls: [{ index: call.index, function: { arguments: piece } }] }),
      ),
    ]),
    delta({}, finishOf(turn)),
    { choices: [{ index: 0, delta: {}, finish_reason: finishOf(turn), usage: USAGE }] },
  ],
  whole: (turn, body) => ({
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: untilStop(turn.text ?? '', body),
          reasoning_content: turn.reasoning,
          ...(turn.calls === undefined ? {} : { tool_calls: wireCalls(turn) }),
        },
        finish_reason: finishOf(turn),
      },
    ],
    usage: USAGE,
  }),
};
