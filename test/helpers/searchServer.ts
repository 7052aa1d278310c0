import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A search as the search API got it. */
export interface ReceivedSearch {
  readonly method: string;
  readonly path: string;
  readonly parameters: URLSearchParams;
  readonly body: Record<string, unknown>;
  readonly headers: IncomingHttpHeaders;
}

export type SearchBehaviour = (response: ServerResponse, search: ReceivedSearch) => void;

export interface SearchServer {
  /** Value of SEARCH_URL. */
  readonly url: string;
  readonly searches: ReceivedSearch[];
  /** How many connections it has had. */
  readonly connections: () => number;
  behaviour: SearchBehaviour;
  close(): Promise<void>;
}

async function readText(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

export const found = (status: number, body: unknown, headers: Record<string, string> = {}): SearchBehaviour => {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
};

/** Pages in SearXNG's form; each is its address, its title and its text. */
export const pages = (...list: readonly (readonly [url: string, title: string, text: string])[]): SearchBehaviour =>
  found(200, { query: '', results: list.map(([url, title, content]) => ({ url, title, content })) });

/** A search API on a free port, without a key, in SearXNG's form unless the behaviour is another. */
export async function startSearchServer(behaviour: SearchBehaviour): Promise<SearchServer> {
  const searches: ReceivedSearch[] = [];
  let connections = 0;
  const server = createServer(async (request, response) => {
    response.on('error', () => {});
    const { method = '', url = '', headers } = request;
    const { pathname, searchParams } = new URL(url, 'http://search.test');
    const text = await readText(request);
    const search = {
      method,
      path: pathname,
      parameters: searchParams,
      body: text === '' ? {} : JSON.parse(text),
      headers,
    };
    searches.push(search);
    self.behaviour(response, search);
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const self: SearchServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    searches,
    connections: () => connections,
    behaviour,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return self;
}
