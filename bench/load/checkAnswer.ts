import { readStamps } from '../upstream/deltaText.ts';
import type { Reply } from './reply.ts';

/** What an answer must hold to count. */
export interface Expected {
  readonly deltas: number;
  /** The upstream reports in tokens how much of the request it got: at least so many show that none of it was lost. */
  readonly promptTokens: number;
}

function fail(what: string, body: string): never {
  throw new Error(`wrong answer: ${what}; it ends with ${JSON.stringify(body.slice(-300))}`);
}

function checkStatus({ status, body }: Reply): void {
  if (status !== 200) fail(`status ${status}`, body);
}

/** The numbers in the text must be 0, 1, 2 ... without a gap. */
function checkText(text: string, deltas: number, body: string): void {
  const { stamps } = readStamps(text);
  const wrong = stamps.findIndex(({ index }, place) => index !== place);
  if (wrong >= 0) fail(`delta ${stamps[wrong]?.index} in the place of ${wrong}`, body);
  if (stamps.length !== deltas) fail(`${stamps.length} deltas of ${deltas}`, body);
}

interface Usage {
  readonly input_tokens?: number;
  readonly cache_read_input_tokens?: number;
  readonly cache_creation_input_tokens?: number;
}

function promptTokens(usage: Usage | undefined): number {
  const { input_tokens = 0, cache_read_input_tokens = 0, cache_creation_input_tokens = 0 } = usage ?? {};
  return input_tokens + cache_read_input_tokens + cache_creation_input_tokens;
}

function checkUsage(usage: Usage | undefined, expected: Expected, body: string): void {
  const counted = promptTokens(usage);
  if (counted < expected.promptTokens) fail(`${counted} prompt tokens, less than ${expected.promptTokens}`, body);
}

function count(body: string, mark: RegExp): number {
  return body.match(mark)?.length ?? 0;
}

const TEXT = /"text": ?"([^"]*)"/g;
const DELTA_DATA = /^data: ?(\{"type": ?"message_delta".*)$/m;

const PARTIAL_JSON = /"partial_json": ?("(?:[^"\\]|\\.)*")/g;

/** The text of a tool call's arguments, put together from its deltas as a client does it. */
function readArguments(body: string): string {
  const pieces = [...body.matchAll(PARTIAL_JSON)].map(([, text = '""']) => JSON.parse(text) as string);
  return (JSON.parse(pieces.join('')) as { text: string }).text;
}

/** Every event once and in order, the true end, and all of the request. */
function checkEvents(reply: Reply, stopReason: string, expected: Expected): void {
  const { body } = reply;
  checkStatus(reply);
  for (const [mark, times] of [
    [/^event: ?message_start$/gm, 1],
    [/^event: ?content_block_start$/gm, 1],
    [/^event: ?content_block_stop$/gm, 1],
    [/^event: ?message_stop$/gm, 1],
    [/^event: ?error$/gm, 0],
    [new RegExp(`"stop_reason": ?"${stopReason}"`, 'g'), 1],
  ] as const) {
    const found = count(body, mark);
    if (found !== times) fail(`${found} times ${mark.source}`, body);
  }
  if (!/event: ?message_stop\ndata: ?[^\n]*\n\n$/.test(body)) fail('message_stop is not the last event', body);
  const last = DELTA_DATA.exec(body)?.[1];
  if (last === undefined) fail('no message_delta', body);
  checkUsage((JSON.parse(last) as { usage?: Usage }).usage, expected, body);
}

/** Throws unless the reply is a whole stream: every event once and in order, all of the text, a true end. */
export function checkStream(reply: Reply, expected: Expected): void {
  checkEvents(reply, 'end_turn', expected);
  const text = [...reply.body.matchAll(TEXT)].map(([, piece]) => piece).join('');
  checkText(text, expected.deltas, reply.body);
}

/** Throws unless the reply is a whole stream with one tool call whose arguments are complete and in order. */
export function checkToolCall(reply: Reply, expected: Expected): void {
  checkEvents(reply, 'tool_use', expected);
  checkText(readArguments(reply.body), expected.deltas, reply.body);
}

/** Throws unless the reply is one whole message. */
export function checkMessage(reply: Reply, expected: Expected): void {
  checkStatus(reply);
  const message: { content?: { text?: string }[]; stop_reason?: string; usage?: Usage } = JSON.parse(reply.body);
  if (message.stop_reason !== 'end_turn') fail(`stop_reason ${message.stop_reason}`, reply.body);
  checkText((message.content ?? []).map(({ text }) => text ?? '').join(''), expected.deltas, reply.body);
  checkUsage(message.usage, expected, reply.body);
}

/** Throws unless the reply is a plausible count of the tokens of a request of so many bytes. */
export function checkTokenCount(reply: Reply, bytes: number): void {
  checkStatus(reply);
  const { input_tokens: counted }: Usage = JSON.parse(reply.body);
  if (counted === undefined || counted < bytes / 12 || counted > bytes)
    fail(`${counted} tokens in ${bytes} bytes`, reply.body);
}
