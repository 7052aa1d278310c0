import { isObject, type JsonObject, parseObject } from '../core/json.ts';
import type { Upstream, UpstreamCall, UpstreamHandler } from './upstream.ts';

/** What the built-in provider answers: words, tool calls, or JSON where a schema asks for it. */
export interface DemoTurn {
  readonly reasoning?: string;
  readonly text: string;
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: string }[];
}

interface DemoMessage extends JsonObject {
  role: string;
}

function textOf(message: DemoMessage | undefined): string {
  const content = message?.['content'];
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part) => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('\n');
}

const REMINDER_START = '<system-reminder>';
const REMINDER_END = '</system-reminder>';

/** Looks at each letter once, which a regular expression would not do where a reminder has no end. */
function withoutReminders(text: string): string {
  const parts = text.split(REMINDER_END);
  const rest = parts.pop() ?? '';
  const kept = parts.map((part) => {
    const start = part.indexOf(REMINDER_START);
    return start < 0 ? part + REMINDER_END : part.slice(0, start);
  });
  return kept.join('') + rest;
}

/** What the person wrote, without the reminders that the client wraps around it. */
function spokenText(messages: readonly DemoMessage[]): string {
  const text = textOf(messages.findLast((message) => message.role === 'user'));
  return withoutReminders(text).trim();
}

function offers(body: JsonObject, name: string): boolean {
  const tools = body['tools'];
  if (!Array.isArray(tools)) return false;
  return tools.some((tool) => isObject(tool) && isObject(tool['function']) && tool['function']['name'] === name);
}

/** The smallest value that fits a JSON schema, for requests that want structured output. */
function exampleOf(schema: JsonObject, words: string): unknown {
  const choices = schema['enum'];
  if (Array.isArray(choices)) return choices[0];
  switch (schema['type']) {
    case 'object': {
      const properties = isObject(schema['properties']) ? schema['properties'] : {};
      return Object.fromEntries(
        Object.entries(properties).map(([name, value]) => [name, isObject(value) ? exampleOf(value, words) : null]),
      );
    }
    case 'array':
      return [];
    case 'boolean':
      return false;
    case 'integer':
    case 'number':
      return 0;
    default:
      return words;
  }
}

function schemaOf(body: JsonObject): JsonObject | undefined {
  const format = body['response_format'];
  const holder = isObject(format) && isObject(format['json_schema']) ? format['json_schema']['schema'] : undefined;
  return isObject(holder) ? holder : undefined;
}

const COMMAND_REQUEST = /\b(?:run|execute)\s+`([^`]+)`/gi;
const LIST_REQUEST = /\b(?:list|show)\b[^.]{0,200}\bfiles?\b/i;

/** Without backticks the whole message has to be the request, and what follows no word of a sentence, such as `run the tests`. */
const BARE_COMMAND_REQUEST =
  /^(?:please\s+)?(?:run|execute)\s+(?!(?:the|an?|all|it|this|that|my|your|some)\b)([^\s`][^\n`]{0,500})$/i;

function shellCommands(text: string): string[] {
  const quoted = [...text.matchAll(COMMAND_REQUEST)].map((match) => match[1] ?? '');
  const bare = BARE_COMMAND_REQUEST.exec(text)?.[1];
  const commands = quoted.length === 0 && bare !== undefined ? [bare] : quoted;
  return commands.length === 0 && LIST_REQUEST.test(text) ? ['ls'] : commands;
}

/** The text up to the first stop string of the request. */
function untilStop(text: string, body: JsonObject): string {
  const stops = Array.isArray(body['stop']) ? body['stop'] : [];
  const ends = stops.map((stop) => text.indexOf(String(stop))).filter((at) => at >= 0);
  return text.slice(0, Math.min(text.length, ...ends));
}

/** The next turn of the demo for a chat completions request. Deterministic: the same request gets the same answer. */
export function demoTurn(body: JsonObject): DemoTurn {
  const messages = Array.isArray(body['messages']) ? (body['messages'].filter(isObject) as DemoMessage[]) : [];
  const schema = schemaOf(body);
  const spoken = spokenText(messages);
  const start = spoken.split('\n', 1)[0]?.slice(0, 80) ?? '';
  if (schema !== undefined) return { text: JSON.stringify(exampleOf(schema, start === '' ? 'Demo' : start)) };

  const last = messages.at(-1);
  if (last?.role === 'tool') {
    return {
      text: `The tool answered:\n\n${textOf(last).slice(0, 2000)}\n\nThat was a whole tool loop, without any network.`,
    };
  }
  const commands = shellCommands(spoken);
  if (commands.length > 0 && offers(body, 'Bash')) {
    return {
      reasoning: 'The request names a shell command, so I call the tool.',
      text: `I will run ${commands.map((command) => `\`${command}\``).join(' and ')}.`,
      toolCalls: commands.map((command) => ({
        name: 'Bash',
        arguments: JSON.stringify({ command, description: 'Run the command asked for' }),
      })),
    };
  }
  return {
    reasoning: 'No model is behind this answer; it only shows how one arrives.',
    text: untilStop(
      `This is the demo provider: it needs no network and no key, and it shows that everything between Claude Code and ` +
        `a provider works. You said: “${start}”. Ask me to list the files, or to run \`some command\`, and I will make a tool call.`,
      body,
    ),
  };
}

/** Pause between two words, in ms: slow enough to be seen arriving. */
const WORD_MS = 15;
const CHARACTERS_PER_TOKEN = 4;

function usageOf(request: string, turn: DemoTurn): JsonObject {
  const callArguments = (turn.toolCalls ?? []).map((call) => call.arguments);
  const words = [turn.reasoning ?? '', turn.text, ...callArguments].join('');
  return {
    prompt_tokens: Math.ceil(request.length / CHARACTERS_PER_TOKEN),
    completion_tokens: Math.ceil(words.length / CHARACTERS_PER_TOKEN),
  };
}

function toolCallsOf({ toolCalls = [] }: DemoTurn): JsonObject[] {
  return toolCalls.map((call, index) => ({ index, id: `call_demo_${index}`, type: 'function', function: { ...call } }));
}

function completionOf(request: string, model: string, turn: DemoTurn): string {
  const calls = toolCallsOf(turn);
  const message: JsonObject = {
    role: 'assistant',
    content: turn.text,
    ...(turn.reasoning === undefined ? {} : { reasoning_content: turn.reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  const choice = { index: 0, message, finish_reason: calls.length === 0 ? 'stop' : 'tool_calls' };
  return JSON.stringify({ object: 'chat.completion', model, choices: [choice], usage: usageOf(request, turn) });
}

function chunksOf(request: string, model: string, turn: DemoTurn): string[] {
  const words = (text: string) => text.match(/\S+\s*/g) ?? [];
  const calls = toolCallsOf(turn);
  const deltas: JsonObject[] = [
    ...words(turn.reasoning ?? '').map((word) => ({ reasoning_content: word })),
    ...words(turn.text).map((word) => ({ content: word })),
    ...(calls.length === 0 ? [] : [{ tool_calls: calls }]),
  ];
  const chunk = (choices: JsonObject[], more: JsonObject = {}) =>
    `data: ${JSON.stringify({ object: 'chat.completion.chunk', model, choices, ...more })}\n\n`;
  return [
    ...deltas.map((delta) => chunk([{ index: 0, delta, finish_reason: null }])),
    chunk([{ index: 0, delta: {}, finish_reason: calls.length === 0 ? 'stop' : 'tool_calls' }]),
    chunk([], { usage: usageOf(request, turn) }),
    'data: [DONE]\n\n',
  ];
}

/** Sends the pieces one after the other; the answer can be aborted and paused like one that comes over the network. */
function play(pieces: readonly string[], contentType: string, handler: UpstreamHandler): UpstreamCall {
  let next = 0;
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  const pause = () => {
    clearInterval(timer);
    timer = undefined;
  };
  const resume = () => {
    if (!over) timer ??= setInterval(step, WORD_MS);
  };
  const abort = () => {
    over = true;
    pause();
  };
  const step = () => {
    if (next === 0) handler.onHead(200, { 'content-type': contentType });
    const piece = pieces[next++];
    if (piece !== undefined) {
      handler.onData(Buffer.from(piece));
      return;
    }
    abort();
    handler.onEnd();
  };
  resume();
  return { abort, pause, resume };
}

/** The provider behind PROVIDER=demo (decision 0006): speaks chat completions inside the process. */
export function createDemoUpstream(): Upstream {
  return {
    send(request, handler) {
      const text = typeof request.body === 'string' ? request.body : Buffer.from(request.body).toString();
      const body = parseObject(text) ?? {};
      const model = String(body['model'] ?? '');
      const turn = demoTurn(body);
      return request.stream
        ? play(chunksOf(text, model, turn), 'text/event-stream', handler)
        : play([completionOf(text, model, turn)], 'application/json', handler);
    },
    close: () => Promise.resolve(),
  };
}
