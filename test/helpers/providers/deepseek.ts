import { delta } from '../fakeUpstream.ts';
import type { Turn } from '../turn.ts';
import { messagesOf, partsOf, thinkingOf, when } from './inspect.ts';
import { type Body, halves, type ScriptedProvider, untilStop } from './scriptedProvider.ts';

function refuse(body: Body): string[] {
  const { tool_choice: choice, reasoning_effort: effort } = body;
  const off = thinkingOf(body)['type'] === 'disabled';
  const forced = choice !== undefined && choice !== 'auto' && choice !== 'none';
  return [
    ...when(off && effort !== undefined, 'thinking options type cannot be disabled when reasoning_effort is set'),
    ...when(effort !== undefined && !['low', 'high', 'max'].includes(String(effort)), `reasoning_effort: ${effort}`),
    ...when(!off && forced, 'Thinking mode does not support this tool_choice'),
    ...when(!/flash/.test(body.model) && partsOf(body).length > 0, 'content: a string is expected'),
    ...messagesOf(body)
      .filter((message) => message['tool_calls'] !== undefined && typeof message['reasoning_content'] !== 'string')
      .map(() => 'The `reasoning_content` in the thinking mode must be passed back to the API'),
  ];
}

const USAGE = {
  prompt_tokens: 100,
  completion_tokens: 20,
  total_tokens: 120,
  prompt_cache_hit_tokens: 60,
  prompt_cache_miss_tokens: 40,
};

/** With thinking turned off there is none. */
const thought = (turn: Turn, body: Body) => (thinkingOf(body)['type'] === 'disabled' ? '' : (turn.reasoning ?? ''));

const wireCalls = ({ calls = [] }: Turn) =>
  calls.map(({ name, input }, index) => ({
    index,
    id: `call_0${index}_x`,
    type: 'function',
    function: { name, arguments: JSON.stringify(input) },
  }));

const finishOf = ({ calls = [] }: Turn) => (calls.length > 0 ? 'tool_calls' : 'stop');

/**
 * Comments that keep the connection alive, null contents, usage beside the finish. Sources: api-docs.deepseek.com,
 * vercel/ai convert-to-deepseek-chat-messages.ts, deepseek-ai/DeepSeek-V3#1376, farion1231/cc-switch claude.rs.
 */
export const deepseek: ScriptedProvider = {
  name: 'deepseek',
  basePath: '',
  refuse,
  errorBody: (message) => ({
    error: { message, type: 'invalid_request_error', param: null, code: 'invalid_request_error' },
  }),
  stream: (turn, body) => [
    ': keep-alive',
    ...halves(thought(turn, body)).map((piece) => delta({ content: null, reasoning_content: piece })),
    ': keep-alive',
    delta({ content: untilStop(turn.text ?? '', body), reasoning_content: null }),
    ...wireCalls(turn).map((call) => delta({ tool_calls: [call] })),
    { ...delta({ content: '', reasoning_content: null }, finishOf(turn)), usage: USAGE },
  ],
  whole: (turn, body) => ({
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: untilStop(turn.text ?? '', body),
          reasoning_content: thought(turn, body),
          ...(turn.calls === undefined ? {} : { tool_calls: wireCalls(turn) }),
        },
        finish_reason: finishOf(turn),
      },
    ],
    usage: USAGE,
  }),
};
