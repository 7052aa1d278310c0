import { type Behaviour, delta, json, type ReceivedRequest, stream } from './fakeUpstream.ts';
import { functionsOf, messagesOf, partsOf } from './providers/inspect.ts';
import { untilStop } from './providers/scriptedProvider.ts';
import { reply, type Turn } from './turn.ts';

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

function callTurn(text: string): Turn {
  const commands = [...text.matchAll(/`(echo \w+)`/g)].map((match) => match[1]);
  return {
    reasoning: 'The tool is what they want.',
    calls: commands.map((command, index) => ({ id: `call_${index}`, name: 'Bash', input: { command } })),
  };
}

/** A model that can do everything that `./manage test --full` asks for. */
export const capableModel: Behaviour = reply((request) => {
  const { body } = request;
  const text = lastText(request);
  const messages = messagesOf(body);
  if (text.startsWith('a a a')) return overflowError;
  if (text.startsWith('Count')) return countUp;
  if (messages.at(-1)?.role === 'tool') return { text: 'It printed 391.' };
  if (functionsOf(body).length > 0) return callTurn(text);
  if (partsOf(body).some(({ type }) => type === 'image_url')) return { text: 'Red.' };
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
