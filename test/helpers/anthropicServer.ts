import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type NativeBlock = { readonly type: string } & Readonly<Record<string, unknown>>;

/** A Messages API request as the provider got it. */
export interface NativeRequest {
  readonly bytes: Buffer;
  readonly body: { model: string; messages: { role: string; content: string | NativeBlock[] }[] } & Record<
    string,
    unknown
  >;
  readonly headers: IncomingHttpHeaders;
  /** Path and query. */
  readonly path: string;
  /** Resolves when the connection of this request has closed. */
  readonly closed: Promise<void>;
}

export type NativeBehaviour = (response: ServerResponse, request: NativeRequest) => void | Promise<void>;

/** A provider with a Messages API, whose behaviour is chosen by the model name of each request. */
export interface AnthropicServer {
  /** Value of OPENAI_BASE_URL. */
  readonly url: string;
  readonly requests: NativeRequest[];
  /** Resolves with the next request that arrives. */
  nextRequest(): Promise<NativeRequest>;
  close(): Promise<void>;
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** Behaviours by model name; `*` answers the models that are not named. */
export async function startAnthropicServer(behaviours: Record<string, NativeBehaviour>): Promise<AnthropicServer> {
  const requests: NativeRequest[] = [];
  const waiting: ((request: NativeRequest) => void)[] = [];
  const server = createServer(async (request, response) => {
    const closed = once(response, 'close').then(() => {});
    response.on('error', () => {});
    const bytes = await readBytes(request);
    const body = JSON.parse(bytes.toString('utf8').replace(/^\ufeff/, ''));
    const received = { bytes, body, headers: request.headers, path: request.url ?? '', closed };
    requests.push(received);
    waiting.shift()?.(received);
    const behave =
      behaviours[body.model] ?? behaviours['*'] ?? nativeError(404, 'not_found_error', `model: ${body.model}`);
    await behave(response, received);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    nextRequest: () => new Promise((resolve) => waiting.push(resolve)),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An error as Anthropic answers it. */
export function nativeError(
  status: number,
  type: string,
  message: string,
  headers: Record<string, string> = {},
): NativeBehaviour {
  return nativeJson({ type: 'error', error: { type, message }, request_id: 'req_of_the_provider' }, status, headers);
}

export function nativeJson(body: unknown, status = 200, headers: Record<string, string> = {}): NativeBehaviour {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_of_the_provider', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

export function openNative(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': 'req_of_the_provider' });
  response.flushHeaders();
}

/** Sends these bytes as an event stream and ends it. */
export function nativeStream(...pieces: (string | Buffer)[]): NativeBehaviour {
  return async (response) => {
    openNative(response);
    for (const piece of pieces) await new Promise((resolve) => response.write(piece, resolve));
    response.end();
  };
}

export function nativeEvent(type: string, fields: Record<string, unknown> = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

/** One answer of the model. */
export interface NativeTurn {
  readonly thinking?: string;
  /** Stands for the thoughts when they come back. */
  readonly signature?: string;
  readonly text?: string;
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly input: unknown }[];
}

export const NATIVE_USAGE = {
  input_tokens: 11,
  cache_creation_input_tokens: 22,
  cache_read_input_tokens: 33,
  output_tokens: 5,
};

function blocksOf({ thinking, signature = '', text, calls = [] }: NativeTurn): NativeBlock[] {
  return [
    ...(thinking === undefined ? [] : [{ type: 'thinking', thinking, signature }]),
    ...(text === undefined ? [] : [{ type: 'text', text }]),
    ...calls.map((call) => ({ type: 'tool_use', ...call })),
  ];
}

function blockEvents(block: NativeBlock, index: number): string {
  const start = { thinking: { thinking: '', signature: '' }, text: { text: '' }, tool_use: { input: {} } }[block.type];
  const deltas = {
    thinking: [
      { type: 'thinking_delta', thinking: block['thinking'] },
      { type: 'signature_delta', signature: block['signature'] },
    ],
    text: [{ type: 'text_delta', text: block['text'] }],
    tool_use: [{ type: 'input_json_delta', partial_json: JSON.stringify(block['input']) }],
  }[block.type];
  return [
    nativeEvent('content_block_start', { index, content_block: { ...block, ...start } }),
    ...(deltas ?? []).map((delta) => nativeEvent('content_block_delta', { index, delta })),
    nativeEvent('content_block_stop', { index }),
  ].join('');
}

let messages = 0;

/** Answers with a turn, streamed or whole as the request asks. */
export function nativeTurn(turn: NativeTurn): NativeBehaviour {
  return (response, request) => {
    messages += 1;
    const content = blocksOf(turn);
    const stop = { stop_reason: (turn.calls ?? []).length > 0 ? 'tool_use' : 'end_turn', stop_sequence: null };
    const message = { id: `msg_${messages}`, type: 'message', role: 'assistant', model: request.body.model, content };
    if (request.body['stream'] !== true) {
      return nativeJson({ ...message, ...stop, usage: NATIVE_USAGE })(response, request);
    }
    const start = { ...message, content: [], stop_reason: null, stop_sequence: null, usage: NATIVE_USAGE };
    return nativeStream(
      nativeEvent('message_start', { message: start }),
      nativeEvent('ping'),
      ...content.map(blockEvents),
      nativeEvent('message_delta', { delta: stop, usage: { output_tokens: 7 } }),
      nativeEvent('message_stop'),
    )(response, request);
  };
}
