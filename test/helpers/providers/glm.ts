import { delta } from '../fakeUpstream.ts';
import type { Turn } from '../turn.ts';
import { functionsOf, messagesOf, partsOf, thinkingOf, unknownFields, when } from './inspect.ts';
import { type Body, halves, type ScriptedProvider, untilStop } from './scriptedProvider.ts';

const FIELDS = [
  ...['model', 'messages', 'tools', 'tool_choice', 'stream', 'stream_options', 'max_tokens', 'temperature', 'top_p'],
  ...['stop', 'response_format', 'thinking', 'reasoning_effort', 'tool_stream', 'do_sample', 'request_id', 'user_id'],
];
const SEES = /flash|v-|\dv/;

function refuse(body: Body): string[] {
  const { temperature, top_p: topP, stop, tool_choice: choice, max_tokens: limit } = body;
  const thinking = thinkingOf(body);
  const effort = body['reasoning_effort'];
  return [
    ...unknownFields(body, FIELDS).map((name) => `${name}: invalid parameter`),
    ...when(choice !== undefined && choice !== 'auto', 'tool_choice: only auto is supported'),
    ...when(typeof temperature === 'number' && (temperature < 0 || temperature > 1), 'temperature: [0, 1]'),
    ...when(typeof topP === 'number' && (topP < 0.01 || topP > 1), 'top_p: [0.01, 1]'),
    ...when(Array.isArray(stop) && stop.length > 1, 'stop: one string'),
    ...when(Number(limit) > 131_072, 'max_tokens: [1, 131072]'),
    ...when(thinking['type'] === 'disabled', 'thinking: this model only supports enabled'),
    ...when(effort !== undefined && !['low', 'high', 'max'].includes(String(effort)), `reasoning_effort: ${effort}`),
    ...when(functionsOf(body).length > 128, 'tools: at most 128'),
    ...when(
      functionsOf(body).some((tool) => 'strict' in tool),
      'strict: invalid parameter',
    ),
    ...when(!messagesOf(body).some(({ role }) => role === 'user'), 'messages: no user message'),
    ...when(
      messagesOf(body).some((message) => 'name' in message || message.role === 'developer'),
      'messages: invalid',
    ),
    ...when(!SEES.test(body.model) && partsOf(body).length > 0, 'messages.content: a string is expected'),
  ];
}

const USAGE = {
  prompt_tokens: 100,
  completion_tokens: 20,
  total_tokens: 120,
  prompt_tokens_details: { cached_tokens: 60 },
};

/** The arguments are not checked before they are sent: line breaks stand in them as they are. */
const wireCalls = ({ calls = [] }: Turn) =>
  calls.map(({ name, input }, index) => ({
    index,
    id: `call_-80${index}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(input).replaceAll('\\n', '\n') },
  }));

const finishOf = ({ calls = [], finish }: Turn) => finish ?? (calls.length > 0 ? 'tool_calls' : 'stop');

/**
 * A role in every chunk, usage beside the finish, and without tool_stream each call in one piece. Sources: docs.z.ai
 * (streaming, stream-tool), zai-org/z-ai-sdk-python, agentscope GLMFormatter for what is refused.
 */
export const glm: ScriptedProvider = {
  name: 'glm',
  basePath: '/api/paas/v4',
  refuse,
  errorBody: (message) => ({ error: { code: '1210', message } }),
  stream: (turn, body) => [
    ...halves(turn.reasoning ?? '').map((piece) => delta({ role: 'assistant', reasoning_content: piece })),
    delta({ role: 'assistant', content: untilStop(turn.text ?? '', body) }),
    ...wireCalls(turn).flatMap((call) => {
      if (body['tool_stream'] !== true) return [delta({ role: 'assistant', tool_calls: [call] })];
      const [first, second] = halves(call.function.arguments);
      return [
        delta({
          role: 'assistant',
          tool_calls: [{ ...call, function: { name: call.function.name, arguments: first } }],
        }),
        delta({ role: 'assistant', tool_calls: [{ index: call.index, function: { arguments: second } }] }),
      ];
    }),
    { ...delta({ role: 'assistant', content: '' }, finishOf(turn)), usage: USAGE },
  ],
  whole: (turn, body) => ({
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: `\n${untilStop(turn.text ?? '', body)}`,
          reasoning_content: turn.reasoning,
          ...(turn.calls === undefined ? {} : { tool_calls: wireCalls(turn) }),
        },
        finish_reason: finishOf(turn),
      },
    ],
    usage: USAGE,
  }),
};
