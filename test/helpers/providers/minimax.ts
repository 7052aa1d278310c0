import type { Turn } from '../turn.ts';
import { messagesOf, thinkingOf, when } from './inspect.ts';
import { type Body, halves, type ScriptedProvider } from './scriptedProvider.ts';

const MODELS = ['MiniMax-M3', 'MiniMax-M3.1-Flash', 'MiniMax-M2.1', 'MiniMax-M2'];

function refuse(body: Body): string[] {
  const { temperature, top_p: topP, thinking, reasoning_effort: effort } = body;
  const type = thinkingOf(body)['type'];
  const always = body.model !== 'MiniMax-M3';
  const systems = messagesOf(body).map(({ role }) => role === 'system');
  return [
    ...when(!MODELS.includes(body.model), `unknown model '${body.model}'`),
    ...when(systems.lastIndexOf(true) > 0, 'chat content has invalid message role: system'),
    ...when(typeof temperature === 'number' && (temperature <= 0 || temperature > 1), 'temperature must be in (0, 1]'),
    ...when(typeof topP === 'number' && (topP <= 0 || topP > 1), 'top_p must be in (0, 1]'),
    ...when(Number(body['max_completion_tokens'] ?? body['max_tokens']) > 524_288, 'max tokens must be <= 524288'),
    ...when(thinking !== undefined && type !== 'adaptive' && type !== 'disabled', 'thinking has an invalid type'),
    ...when(always && type === 'disabled', 'this model requires adaptive thinking'),
    ...when(!always && effort !== undefined, 'reasoning_effort is not supported'),
  ];
}

const ZERO = { total_tokens: 0, total_characters: 0 };
const USAGE = {
  total_tokens: 120,
  prompt_tokens: 100,
  completion_tokens: 20,
  prompt_tokens_details: { cached_tokens: 60 },
};

const chunk = (delta: object | null, finish: string | null = null) => ({
  object: 'chat.completion.chunk',
  model: 'MiniMax-M3',
  choices: [{ index: 0, delta, finish_reason: finish }],
  usage: ZERO,
});

const wireCalls = ({ calls = [] }: Turn) =>
  calls.map(({ name, input }, index) => ({
    index,
    id: `call_function_x1_${index}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(input) },
  }));

const finishOf = ({ calls = [] }: Turn) => (calls.length > 0 ? 'tool_calls' : 'stop');

const details = (text: string) => ({
  reasoning_content: text,
  reasoning_details: [
    { type: 'reasoning.text', id: 'reasoning-text-1', format: 'MiniMax-response-v1', index: 0, text },
  ],
});

/** Without reasoning_split the reasoning is the beginning of the text. Stop strings are ignored. */
function message(turn: Turn, body: Body): object {
  const { reasoning = '', text = '' } = turn;
  const split = body['reasoning_split'] === true;
  const tagged = reasoning === '' ? text : `<think>\n${reasoning}\n</think>\n\n${text}`;
  return {
    role: 'assistant',
    name: 'MiniMax AI',
    audio_content: '',
    content: split ? text : tagged,
    ...(split && reasoning !== '' ? details(reasoning) : {}),
    ...(turn.calls === undefined ? {} : { tool_calls: wireCalls(turn) }),
  };
}

const completion = (turn: Turn, body: Body) => ({
  object: 'chat.completion',
  model: 'MiniMax-M3',
  choices: [{ index: 0, finish_reason: finishOf(turn), message: message(turn, body) }],
  usage: USAGE,
  base_resp: { status_code: 0, status_msg: '' },
});

/**
 * Empty roles, null deltas, usage of zeros, reasoning as growing snapshots, tags cut in two, and a last frame that repeats
 * the whole answer. Sources: OpenBitFun PR 792 (captured), MiniMax-AI/MiniMax-M2#2, platform.minimax.io text-openai-api.
 */
export const minimax: ScriptedProvider = {
  name: 'minimax',
  basePath: '/v1',
  refuse,
  errorBody: (problem) => ({
    type: 'error',
    error: { type: 'bad_request_error', message: `invalid params, ${problem} (2013)`, http_code: '400' },
  }),
  stream: (turn, body) => {
    const { reasoning = '', text = '' } = turn;
    const split = body['reasoning_split'] === true;
    const [half] = halves(reasoning);
    const thoughts = split
      ? [chunk({ role: '', ...details(half) }), chunk({ role: '', ...details(reasoning) })]
      : ['<thi', `nk>\n${reasoning}\n</thi`, 'nk>\n\n'].map((content) => chunk({ role: '', content }));
    return [
      ...(reasoning === '' ? [] : thoughts),
      chunk(null),
      ...halves(text).map((content) => chunk({ role: '', name: 'MiniMax AI', content, audio_content: '' })),
      ...wireCalls(turn).flatMap((call) => {
        const [first, second] = halves(call.function.arguments);
        return [
          chunk({ role: '', tool_calls: [{ ...call, function: { name: call.function.name, arguments: first } }] }),
          chunk({ role: '', tool_calls: [{ index: call.index, function: { arguments: second } }] }),
        ];
      }),
      chunk({ role: '' }, finishOf(turn)),
      completion(turn, body),
    ];
  },
  whole: completion,
};
