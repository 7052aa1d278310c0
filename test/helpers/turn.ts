import { type Behaviour, delta, json, type ReceivedRequest, stream } from './fakeUpstream.ts';

/** A call as a provider makes it; without an id all calls of all turns have the same. */
export interface Call {
  readonly id?: string;
  readonly name: string;
  readonly input: unknown;
  /** Fields beside `function`, as some providers send them. */
  readonly extra?: Record<string, unknown>;
}

/** One answer of the model. */
export interface Turn {
  readonly reasoning?: string;
  readonly text?: string;
  readonly calls?: readonly Call[];
  readonly finish?: string;
  readonly usage?: Record<string, unknown>;
}

const USAGE = { prompt_tokens: 10, completion_tokens: 2 };

function wireCall({ id = 'call_same', name, input, extra }: Call): Record<string, unknown> {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input) }, ...extra };
}

/** The call with empty arguments, and then these in two pieces. */
function callDeltas(call: Call, index: number): Record<string, unknown>[] {
  const whole = wireCall(call);
  const text = JSON.stringify(call.input);
  const middle = Math.floor(text.length / 2);
  return [
    { ...whole, index, function: { name: call.name, arguments: '' } },
    ...[text.slice(0, middle), text.slice(middle)].map((piece) => ({ index, function: { arguments: piece } })),
  ];
}

/** Answers with a turn, streamed or whole as the request asks. */
export function turn({ reasoning, text, calls = [], finish, usage = USAGE }: Turn): Behaviour {
  const reason = finish ?? (calls.length > 0 ? 'tool_calls' : 'stop');
  const said = {
    ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
    ...(text === undefined ? {} : { content: text }),
  };
  return (response, request) => {
    if (request.body['stream'] !== true) {
      const message = {
        role: 'assistant',
        content: null,
        ...said,
        ...(calls.length > 0 ? { tool_calls: calls.map(wireCall) } : {}),
      };
      return json(200, { choices: [{ index: 0, message, finish_reason: reason }], usage })(response, request);
    }
    const chunks = [
      delta({ role: 'assistant' }),
      ...Object.entries(said).map(([field, value]) => delta({ [field]: value })),
      ...calls.flatMap(callDeltas).map((call) => delta({ tool_calls: [call] })),
      delta({}, reason),
      { choices: [], usage },
    ];
    const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 0, model: request.body.model };
    return stream(...chunks.map((chunk) => ({ ...head, ...chunk })))(response, request);
  };
}

/** Chooses the answer by the request. */
export function reply(choose: (request: ReceivedRequest) => Turn | Behaviour): Behaviour {
  return (response, request) => {
    const chosen = choose(request);
    return (typeof chosen === 'function' ? chosen : turn(chosen))(response, request);
  };
}
