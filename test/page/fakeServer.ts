import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { ActionLine, LiveEvents } from '../../src/cli/ui/contract.ts';
import { SAFE_HEADERS } from '../../src/cli/ui/pageAccess.ts';
import { detailOf, now, requests, rows, sessions, setup, usage } from './sampleAnswers.ts';

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
};

/** A server of the page with fixed answers, to see how the page shows what it is given. */
export interface FakeServer {
  readonly url: string;
  /** By their paths; what is put here is answered from then on. */
  readonly answers: Record<string, unknown>;
  /** The paths, with their queries, that the page has asked for. */
  readonly asked: string[];
  /** What a command writes. */
  actionLines: readonly ActionLine[];
  /** Status of every answer when it is not 200. */
  failure: number | undefined;
  send<Name extends keyof LiveEvents>(event: Name, data: LiveEvents[Name], id?: string): void;
  /** Ends the live connections, as a server does that ends. */
  breakOff(): void;
  close(): Promise<void>;
}

function eventText<Name extends keyof LiveEvents>(event: Name, data: LiveEvents[Name], id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** @param folder where the bundle of the page is */
export async function startFakeServer(folder: string, port = 0): Promise<FakeServer> {
  const live = new Set<ServerResponse>();
  const json = (response: ServerResponse, status: number, body: unknown) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    for (const [name, value] of Object.entries(SAFE_HEADERS)) response.setHeader(name, value);
    if (pathname.startsWith('/api/')) fake.asked.push(request.url ?? '');
    if (fake.failure !== undefined && pathname.startsWith('/api/')) {
      const message = `The server answers ${fake.failure}.`;
      return json(response, fake.failure, { error: { message, remedy: null } });
    }
    switch (pathname) {
      case '/api/session':
        return json(response, 200, { key: 'key-of-the-page' });
      case '/api/live':
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        live.add(response);
        response.once('close', () => live.delete(response));
        // It has kept nothing of what was missed.
        if (request.headers['last-event-id']) response.write(eventText('lost', { count: null }, 'begin'));
        else response.write(eventText('requests', { requests: [] }, 'begin'));
        return response.write(eventText('now', fake.answers['/api/now'] as LiveEvents['now']));
      case '/api/request': {
        const row = rows.find(({ id }) => id === searchParams.get('id'));
        if (row === undefined)
          return json(response, 404, { error: { message: 'Its log file is gone.', remedy: null } });
        return json(response, 200, detailOf(row));
      }
      case '/api/actions':
        response.writeHead(200, { 'content-type': 'application/x-ndjson' });
        return response.end(fake.actionLines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      case '/api/usage.csv':
        return response.writeHead(200, { 'content-type': 'text/csv' }).end('model,requests\nacme-2,1');
      default: {
        const answer = fake.answers[pathname];
        if (answer !== undefined) return json(response, 200, answer);
        const name = pathname === '/' ? 'index.html' : pathname.slice(1);
        const bytes = await readFile(join(folder, name)).catch(() => undefined);
        if (bytes === undefined) return response.writeHead(404).end();
        response.writeHead(200, { 'content-type': TYPES[name.split('.').at(-1) ?? ''] ?? 'text/plain' });
        return response.end(bytes);
      }
    }
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const fake: FakeServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers: {
      '/api/now': now,
      '/api/requests': requests,
      '/api/usage': usage,
      '/api/sessions': sessions,
      '/api/setup': setup,
    },
    asked: [],
    actionLines: [{ line: 'work: stopped' }, { line: 'work: ready' }, { exit_code: 0 }],
    failure: undefined,
    send(event, data, id) {
      for (const response of live) response.write(eventText(event, data, id));
    },
    breakOff() {
      for (const response of live) response.destroy();
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return fake;
}
