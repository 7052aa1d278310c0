import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A chat completions request as the provider got it. */
export interface ReceivedRequest {
  readonly body: Record<string, unknown> & { model: string; messages: { role: string; content: unknown }[] };
  /** The same as it came. */
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
  readonly method: string;
  readonly path: string;
  /** Resolves when the connection of this request has closed. */
  readonly closed: Promise<void>;
}

export type Behaviour = (response: ServerResponse, request: ReceivedRequest) => void | Promise<void>;

/** A provider whose behaviour is chosen by the model name of each request. */
export interface FakeUpstream {
  readonly url: string;
  readonly requests: ReceivedRequest[];
  /** Resolves with the next request that arrives. */
  nextRequest(): Promise<ReceivedRequest>;
  close(): Promise<void>;
}

async function readText(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

/** Behaviours by model name; `*` answers the models that are not named. */
export async function startFakeUpstream(behaviours: Record<string, Behaviour>): Promise<FakeUpstream> {
  const requests: ReceivedRequest[] = [];
  const waiting: ((request: ReceivedRequest) => void)[] = [];
  const server = createServer(async (request, response) => {
    const closed = once(response, 'close').then(() => {});
    response.on('error', () => {});
    if (request.method === 'HEAD') return void response.end(); // somebody asks for the time
    const text = await readText(request);
    const body: ReceivedRequest['body'] = JSON.parse(text === '' ? '{}' : text);
    const { headers, method = '', url: path = '' } = request;
    const received = { body, text, headers, method, path, closed };
    requests.push(received);
    waiting.shift()?.(received);
    const behave = behaviours[Object.hasOwn(behaviours, body.model) ? body.model : '*'];
    if (behave !== undefined) await behave(response, received);
    else response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"message":"model not found"}}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    nextRequest: () => new Promise((resolve) => waiting.push(resolve)),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export interface Chunk {
  choices?: unknown[] | null;
  usage?: unknown;
  error?: unknown;
}

export function delta(fields: Record<string, unknown>, finish: string | null = null): Chunk {
  return { choices: [{ index: 0, delta: fields, finish_reason: finish }] };
}

export function frame(chunk: Chunk): string {
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

export function openEvents(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'upstream-1' });
  response.flushHeaders();
}

/** Streams the chunks and, unless asked otherwise, [DONE]. */
export function stream(...chunks: Chunk[]): Behaviour {
  return (response) => {
    openEvents(response);
    response.end(`${chunks.map(frame).join('')}data: [DONE]\n\n`);
  };
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Behaviour {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

/** A whole completion, streamed or not as the request asks. */
export function words(
  text: string,
  usage: Record<string, unknown> = { prompt_tokens: 10, completion_tokens: 2 },
): Behaviour {
  return (response, request) => {
    const choice = { index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' };
    const behave =
      request.body['stream'] === true
        ? stream(delta({ role: 'assistant', content: '' }), delta({ content: text }), delta({}, 'stop'), {
            choices: [],
            usage,
          })
        : json(200, { choices: [choice], usage });
    return behave(response, request);
  };
}

/** Answers the first times with one behaviour each, then for ever with the last. */
export function inTurn(...behaviours: Behaviour[]): Behaviour {
  let next = 0;
  return (response, request) => {
    const behave = behaviours[Math.min(next, behaviours.length - 1)];
    next += 1;
    return behave?.(response, request);
  };
}
