import { isObject, type JsonObject } from '../../../src/core/json.ts';
import { delta } from '../fakeUpstream.ts';
import type { Turn } from '../turn.ts';
import { linkedImages, list, messagesOf, toolSchemasOf, unknownFields, when } from './inspect.ts';
import { type Body, type ScriptedProvider, untilStop } from './scriptedProvider.ts';

const FIELDS = [
  ...['model', 'messages', 'tools', 'tool_choice', 'stream', 'stream_options', 'max_tokens', 'max_completion_tokens'],
  ...['stop', 'n', 'response_format', 'reasoning_effort', 'extra_body'],
];
const MESSAGE_FIELDS = ['role', 'content', 'name', 'tool_calls', 'tool_call_id', 'extra_content'];
const KEYWORDS = ['type', 'format', 'description', 'nullable', 'enum', 'items', 'properties', 'required', 'anyOf'];

const signatureOf = (call: JsonObject): unknown => {
  const extra = call['extra_content'];
  const google = isObject(extra) ? extra['google'] : undefined;
  return isObject(google) ? google['thought_signature'] : undefined;
};

/** Each step of the current turn, which begins behind the last user message, must bring the signature of its first call. */
function lostSignatures(body: Body): string[] {
  const messages = messagesOf(body);
  const begin = messages.findLastIndex(({ role }) => role === 'user');
  return messages.slice(begin + 1).flatMap((message) => {
    const [first] = list(message['tool_calls']);
    return when(
      first !== undefined && typeof signatureOf(first) !== 'string',
      'Function call is missing a thought_signature in functionCall parts',
    );
  });
}

function refuse(body: Body): string[] {
  const efforts = /flash/.test(body.model) ? ['minimal', 'low', 'medium', 'high'] : ['low', 'medium', 'high'];
  const effort = body['reasoning_effort'] ?? 'low';
  return [
    ...unknownFields(body, FIELDS).map((name) => `Invalid JSON payload received. Unknown name "${name}"`),
    ...messagesOf(body)
      .flatMap((message) => Object.keys(message))
      .filter((name) => !MESSAGE_FIELDS.includes(name))
      .map((name) => `Unknown name "${name}" at 'messages'`),
    ...when(messagesOf(body).at(-1)?.role === 'assistant', 'the request ends with a model turn'),
    ...when(!efforts.includes(String(effort)), `reasoning_effort: ${effort}`),
    ...lostSignatures(body),
    ...messagesOf(body)
      .filter(({ role, name }) => role === 'tool' && !name)
      .map(() => 'function_response.name: Name cannot be empty'),
    ...linkedImages(body).map((url) => `Invalid image: ${url}`),
    ...toolSchemasOf(body).flatMap(({ path, schema }) => [
      ...Object.keys(schema)
        .filter((word) => !KEYWORDS.includes(word))
        .map((word) => `Unknown name "${word}" at '${path}'`),
      ...when(Array.isArray(schema['type']), `${path}: type is a list`),
      ...when(
        Array.isArray(schema['enum']) && schema['enum'].some((value) => typeof value !== 'string'),
        `${path}: enum`,
      ),
    ]),
  ];
}

const USAGE = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 180 };
const SIGNATURE = { extra_content: { google: { thought_signature: 'c2lnbmF0dXJl' } } };

const wireCalls = ({ calls = [] }: Turn, id: (index: number) => string) =>
  calls.map(({ name, input }, index) => ({
    ...(index === 0 ? SIGNATURE : {}),
    id: id(index),
    type: 'function',
    function: { name, arguments: JSON.stringify(input) },
  }));

/**
 * Calls whole, all with index 0 and an empty id, the signature on the first of them, and the finish `stop` whatever it is.
 * No reasoning is shown. Sources: googleapis/python-genai#2868, autogen#4878, securo#884; SkyrimNet#77 for what is refused.
 */
export const gemini: ScriptedProvider = {
  name: 'gemini',
  basePath: '/v1beta/openai',
  refuse,
  errorBody: (message) => [{ error: { code: 400, message, status: 'INVALID_ARGUMENT' } }],
  stream: (turn, body) => [
    delta({ role: 'assistant', content: untilStop(turn.text ?? '', body) }),
    ...wireCalls(turn, () => '').map((call) => delta({ role: 'assistant', tool_calls: [{ index: 0, ...call }] })),
    { ...delta({ role: 'assistant' }, 'stop'), usage: USAGE },
  ],
  whole: (turn, body) => ({
    choices: [
      {
        index: 0,
        finish_reason: turn.calls === undefined ? 'stop' : 'tool_calls',
        message: {
          role: 'assistant',
          ...(turn.text === undefined ? {} : { content: untilStop(turn.text, body) }),
          ...(turn.calls === undefined ? {} : { tool_calls: wireCalls(turn, (index) => `function-call-${index}`) }),
        },
      },
    ],
    usage: USAGE,
  }),
};
