import { type JsonObject, parseObject } from '../../core/json.ts';
import type { Upstream, UpstreamCall, UpstreamHandler } from '../upstream.ts';
import { type DemoTurn, demoTurn } from './script.ts';

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

/** The provider behind PROVIDER=demo (design decision 14): speaks chat completions inside the process. */
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
