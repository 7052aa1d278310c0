import { isObject, type JsonObject } from '../../src/core/json.ts';
import { writeEvents } from './arbitraryResponse.ts';
import { type Behaviour, delta, json, openEvents, type ReceivedRequest, stream } from './fakeUpstream.ts';
import { functionsOf, messagesOf, partsOf } from './providers/inspect.ts';
import { untilStop } from './providers/scriptedProvider.ts';
import { callItem, inputOf, reasoned, responseTurn, textItem } from './responsesTurn.ts';
import { type Call, reply, type Turn } from './turn.ts';

/** Context window of the model, in tokens. */
export const CAPABLE_WINDOW = 3000;

function lastText(request: ReceivedRequest): string {
  const content = messagesOf(request.body).at(-1)?.['content'];
  return typeof content === 'string' ? content : JSON.stringify(content);
}

const overflowError = json(400, {
  error: {
    message: `This model's maximum context length is ${CAPABLE_WINDOW} tokens. However, your messages resulted in ${2 * CAPABLE_WINDOW} tokens.`,
  },
});

/** The numbers, each in a chunk of its own. */
const countUp = stream(
  ...Array.from({ length: 40 }, (_, index) => delta({ content: `${index + 1} ` })),
  delta({}, 'stop'),
  { choices: [], usage: { prompt_tokens: 25, completion_tokens: 80 } },
);

/** A call for each command that the text names, or of the tool for the shelf that it names. */
const callsFor = (text: string): Call[] => {
  const [, shelf] = /open shelf (\d+)/.exec(text) ?? [];
  if (shelf !== undefined) return [{ id: 'call_shelf', name: `mcp__archive__open_shelf_${shelf}`, input: {} }];
  return [...text.matchAll(/`(echo \w+)`/g)].map((match, index) => ({
    id: `call_${index}`,
    name: 'Bash',
    input: { command: match[1] },
  }));
};

function callTurn(text: string): Turn {
  return { reasoning: 'The tool is what they want.', calls: callsFor(text) };
}

/** A model that can do everything that `./manage test --full` asks for. */
export const capableModel: Behaviour = reply((request) => {
  const { body } = request;
  const text = lastText(request);
  const messages = messagesOf(body);
  if (text.startsWith('a a a')) return overflowError;
  if (text.startsWith('Count')) return countUp;
  if (partsOf(body).some(({ type }) => type === 'image_url')) return { text: 'Red.' };
  if (messages.at(-1)?.role === 'tool') return { text: 'It printed 391.' };
  if (functionsOf(body).length > 0) return callTurn(text);
  if (body['response_format'] !== undefined) return { text: '{"animal":"cat","legs":4}' };
  if (text.includes('alpha')) return { text: untilStop('alpha bravo charlie delta', body) };
  const isLong = messages[0]?.role === 'system';
  return isLong
    ? {
        text: 'ready',
        usage: { prompt_tokens: 5000, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 4900 } },
      }
    : { text: 'ready' };
});

/** The same, but for what a behaviour of its own answers; which request is meant is seen by its last text. */
export function exceptFor(exceptions: Readonly<Record<string, Behaviour>>): Behaviour {
  return (response, request) => {
    const text = lastText(request);
    const found = Object.entries(exceptions).find(([words]) => text.includes(words));
    return (found?.[1] ?? capableModel)(response, request);
  };
}

/** As OpenAI says it of a streamed request: within an answer that has begun. */
const overflowEvent: Behaviour = (response) => {
  openEvents(response);
  const message = 'Your input exceeds the context window of this model. Please adjust your input and try again.';
  response.end(
    writeEvents([
      { type: 'response.created', response: { id: 'resp_1', status: 'in_progress' } },
      {
        type: 'error',
        error: { type: 'invalid_request_error', code: 'context_length_exceeded', message, param: 'input' },
      },
    ]),
  );
};

const lastParts = (request: ReceivedRequest): JsonObject[] => {
  const { content, output } = inputOf(request).at(-1) ?? {};
  return [content, output].flatMap((parts) => (Array.isArray(parts) ? parts.filter(isObject) : []));
};

/**
 * The same by the Responses API, with a cache that is found by the session's key alone, and reasoning that must come back with the
 * calls that it has made.
 */
export function capableResponses(): Behaviour {
  const cached = new Set<unknown>();
  return (response, request) => {
    const { body } = request;
    const parts = lastParts(request);
    const text = String(parts.find(({ type }) => type === 'input_text')?.['text'] ?? '');
    const answer = (...output: JsonObject[]) => responseTurn(output)(response, request);
    if (text.startsWith('a a a')) return overflowEvent(response, request);
    if (text.startsWith('Count')) return answer(textItem(Array.from({ length: 40 }, (_, at) => at + 1).join(' ')));
    if (parts.some(({ type }) => type === 'input_image')) return answer(...reasoned([], textItem('Red.')));
    const last = inputOf(request).at(-1);
    if (last?.['type'] === 'function_call_output') {
      const isThought = inputOf(request).some(({ type }) => type === 'reasoning');
      return answer(textItem(isThought ? 'It printed 391.' : 'Why was that?'));
    }
    if (body['tools'] !== undefined) {
      const items = callsFor(text).map(callItem);
      return answer(...items.flatMap((item, index) => (index === 0 ? reasoned(['The tool.'], item) : [item])));
    }
    if (JSON.stringify(body['text'] ?? '').includes('json_schema'))
      return answer(textItem('{"animal":"cat","legs":4}'));
    if (text.includes('alpha')) return answer(textItem('alpha bravo charlie delta'));
    const key = body['prompt_cache_key'];
    const usage = {
      input_tokens: 5000,
      input_tokens_details: { cached_tokens: cached.has(key) ? 4900 : 0 },
      output_tokens: 1,
      total_tokens: 5001,
    };
    if (key !== undefined && body['instructions'] !== undefined) cached.add(key);
    return responseTurn([textItem('ready')], usage)(response, request);
  };
}
