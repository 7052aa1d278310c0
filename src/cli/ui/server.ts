import { readdirSync, readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { Readable } from 'node:stream';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { Context } from '../command.ts';
import { Failure } from '../exitCodes.ts';
import { findEntry } from '../logs/logEntries.ts';
import { openLogs } from '../logs/logFiles.ts';
import { logDirectory } from '../logs/showLogs.ts';
import { type Instance, loadInstances, selectInstances } from '../supervisor/instances.ts';
import { ActionRunner, isActionCommand } from './actionRunner.ts';
import type { ActionLine, FailureAnswer, NowAnswer } from './contract.ts';
import { InstanceAnswers } from './instanceAnswers.ts';
import { LiveEventSender, RequestFeed } from './liveEvents.ts';
import { PageAccess, Refusal, SAFE_HEADERS } from './pageAccess.ts';
import { describeRequest, type QueryValues } from './requestIndex.ts';
import { UsageAnswers } from './usageAnswers.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const LOOPBACK = '127.0.0.1';
/** Of a body; the largest one that is understood has a secret. */
const MOST_BYTES = 4096;
const REQUEST_TIMEOUT_MS = 10_000;
/** How old the snapshot may be that a request gets, in ms: however many pages ask, the instances are asked as `top` asks them. */
const SNAPSHOT_MS = 900;
/** How long the env files are taken as they were read, in ms. */
const INSTANCES_MS = 2000;

export interface PageServerOptions {
  readonly context: Context;
  /** Of the manager. */
  readonly version: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** How an action is run: the launcher, or Node and the manager's sources. */
  readonly program: readonly [string, ...string[]];
}

export interface PageServer {
  readonly port: number;
  close(): Promise<void>;
}

/** The files of the page, as the build has made them. */
function readPage(root: string): ReadonlyMap<string, Buffer> {
  const folder = join(root, 'dist', 'page');
  try {
    return new Map(readdirSync(folder).map((name) => [`/${name}`, readFileSync(join(folder, name))]));
  } catch {
    throw new Failure('the page is not built (dist/page); ./manage ui builds it, and so does: npm run build');
  }
}

/**
 * Serves the page and what it shows on this machine alone.
 * @throws Failure when the port is taken or the page is not built
 */
export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const files = readPage(options.context.root);
  const app = Fastify({
    logger: false,
    bodyLimit: MOST_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
  });
  // Of the first request on, which cannot come before it listens.
  let access: PageAccess | undefined;
  const services = createServices(options);
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(SAFE_HEADERS);
    if (access === undefined) throw new Refusal(503, 'not ready');
    access.checkOrigin(request.raw);
    const { url } = request.routeOptions;
    if (url !== '/api/session' && (url === undefined || url.startsWith('/api/'))) access.checkSession(request.raw);
    done();
  });
  app.addHook('preHandler', (request, reply, done) => {
    // What is live or runs for long never ends, and waits for nothing of ours.
    if (request.method === 'GET' && request.routeOptions.url !== '/api/live') {
      services.waiting.add(request);
      reply.raw.once('close', () => services.waiting.delete(request));
    }
    done();
  });
  app.setErrorHandler((error, _request, reply) => {
    const { status, body, retryAfterSeconds } = describeFailure(error);
    if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds);
    reply.status(status).send(body);
  });
  app.setNotFoundHandler(() => {
    throw new Refusal(404, 'there is no such page');
  });
  for (const [path, bytes] of files) {
    app.get(path === '/index.html' ? '/' : path, (_request, reply) =>
      reply.type(TYPES[extname(path)] ?? 'application/octet-stream').send(bytes),
    );
  }
  app.post('/api/session', (request, reply) => {
    const { cookie, key } = (access as PageAccess).exchange(bodyOf(request)['secret']);
    reply.header('set-cookie', cookie).send({ key });
  });
  addReads(app, services);
  addActions(app, services);
  const port = await listen(app, options.port);
  access = new PageAccess(options.context.root, port);
  return {
    port,
    close: async () => {
      services.live.close();
      await app.close();
      await services.feed.close();
      services.usage.close();
    },
  };
}

async function listen(app: FastifyInstance, port: number): Promise<number> {
  try {
    await app.listen({ host: LOOPBACK, port });
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EADDRINUSE') throw error;
    const { findPortHolder } = await import('../../host/ports.ts');
    const holder = await findPortHolder(port);
    const who = holder === undefined ? 'another program' : `pid ${holder.pid} (${holder.program})`;
    throw new Failure(`port ${port} is held by ${who}; end it, or take another port: ./manage ui --port PORT`);
  }
  return (app.server.address() as AddressInfo).port;
}

interface Services {
  readonly context: Context;
  readonly answers: InstanceAnswers;
  readonly usage: UsageAnswers;
  readonly feed: RequestFeed;
  readonly live: LiveEventSender;
  readonly actions: ActionRunner;
  readonly snapshot: () => Promise<NowAnswer>;
  readonly instances: () => readonly Instance[];
  /** Requests that wait for their answer. */
  readonly waiting: Set<FastifyRequest>;
}

function createServices({ context, version, program }: PageServerOptions): Services {
  const { root, environment } = context;
  const waiting = new Set<FastifyRequest>();
  const isBusy = () => waiting.size > 0;
  const instances = remembered(INSTANCES_MS, () => loadInstances(root));
  const answers = new InstanceAnswers(context, version, (name) => actions.commandOf(name));
  const snapshot = remembered(SNAPSHOT_MS, () => answers.now());
  const feed = new RequestFeed(
    () => new Map(instances().map((instance) => [logDirectory(root, instance), instance.name])),
    isBusy,
  );
  const live = new LiveEventSender(feed, snapshot);
  const actions = new ActionRunner({
    program,
    root,
    environment,
    onChange: (instance, command, exitCode) => live.send('action', { instance, command, exit_code: exitCode }),
  });
  const usage = new UsageAnswers(root, environment, instances);
  // A year of many requests takes seconds, which nobody should wait for.
  feed.whenRead.then(() => usage.readAhead(instances(), Date.now(), isBusy)).catch(() => undefined);
  return {
    context,
    answers,
    usage,
    feed,
    live,
    actions,
    snapshot,
    instances,
    waiting,
  };
}

/** A value that is made again when it is older than so many ms. */
function remembered<T>(ageMs: number, make: () => T): () => T {
  let value: { readonly made: T; readonly at: number } | undefined;
  return () => {
    const now = performance.now();
    if (value === undefined || now - value.at > ageMs) value = { made: make(), at: now };
    return value.made;
  };
}

function addReads(app: FastifyInstance, services: Services): void {
  const { context, answers, usage, feed, live, snapshot, instances } = services;
  const { root } = context;
  const chosen = (request: FastifyRequest) => selectInstances(root, instances(), valuesOf(request)['instance'] ?? []);
  app.get('/api/now', () => snapshot());
  app.get('/api/setup', () => answers.setup());
  app.get('/api/usage', async (request, reply) => {
    const answer = await usage.usage(chosen(request), firstValues(request), Date.now());
    return reply.type('application/json; charset=utf-8').send(Readable.from(jsonPieces(answer)));
  });
  app.get('/api/usage.csv', async (request, reply) => {
    const text = await usage.csv(chosen(request), firstValues(request), Date.now());
    return reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', 'attachment; filename="usage.csv"')
      .send(text);
  });
  app.get('/api/sessions', (request) => usage.sessions(chosen(request), firstValues(request), Date.now()));
  app.get('/api/requests', async (request) => {
    const index = await feed.read();
    return { ...index.find(valuesOf(request) as QueryValues), index: index.state() };
  });
  app.get('/api/request', async (request) => {
    const { id = '', time = '' } = firstValues(request);
    for (const instance of chosen(request)) {
      const logs = await openLogs(logDirectory(root, instance), instance.name);
      try {
        for (const log of logs) {
          const entry = await findEntry(log, id, Date.parse(time));
          const detail = entry && describeRequest(entry);
          if (detail !== undefined) return detail;
        }
      } finally {
        await Promise.all(logs.map(({ active }) => active?.close()));
      }
    }
    throw new Refusal(404, 'the log has no such request any more', {
      remedy: 'LOG_RETENTION_DAYS and LOG_MAX_TOTAL keep more of it',
    });
  });
  app.get('/api/live', (request, reply) => {
    if (live.isFull) throw new Refusal(503, 'too many pages are open', { remedy: 'close some of them' });
    const lastId = request.headers['last-event-id'];
    reply.hijack();
    const response = begin(reply.raw, 'text/event-stream');
    live.add(response, typeof lastId === 'string' ? lastId : undefined);
  });
}

function addActions(app: FastifyInstance, { context, actions, instances }: Services): void {
  app.post('/api/actions', async (request, reply) => {
    const { command, instance } = bodyOf(request);
    if (!isActionCommand(command) || typeof instance !== 'string' || instance === 'all') {
      throw new Refusal(400, 'command and instance are needed', { remedy: 'start, stop, restart, reload or test' });
    }
    selectInstances(context.root, instances(), [instance]);
    const running = actions.commandOf(instance);
    if (running !== undefined) throw new Refusal(409, `./manage ${running} ${instance} still runs`);
    reply.hijack();
    const response = begin(reply.raw, 'application/x-ndjson');
    const write = (line: ActionLine) => void (response.destroyed || response.write(`${JSON.stringify(line)}\n`));
    const exitCode = await actions.run(command, instance, (line) => write({ line }));
    write({ exit_code: exitCode });
    response.end();
  });
}

/** Begins an answer that goes on by and by. */
function begin(response: ServerResponse, type: string): ServerResponse {
  response.on('error', () => {}); // who has gone needs no answer
  response.writeHead(200, { ...SAFE_HEADERS, 'content-type': type });
  response.flushHeaders();
  return response;
}

const LINES_AT_ONCE = 100;

/** The JSON of an answer in pieces, whose lines are made as they are written. */
function* jsonPieces(answer: object): Generator<string> {
  let before = '{';
  for (const [name, value] of Object.entries(answer)) {
    yield `${before}${JSON.stringify(name)}:`;
    before = ',';
    if (name === 'lines') yield* linePieces(value);
    else if (value !== null && 'lines' in Object(value)) yield* jsonPieces(value);
    else yield JSON.stringify(value);
  }
  yield '}';
}

function* linePieces(lines: Iterable<unknown>): Generator<string> {
  let text = '[';
  let count = 0;
  for (const line of lines) {
    if (count > 0) text += ',';
    text += JSON.stringify(line);
    count += 1;
    if (count % LINES_AT_ONCE > 0) continue;
    yield text;
    text = '';
  }
  yield `${text}]`;
}

/** Every value of each name in the address. */
function valuesOf({ url }: FastifyRequest): Readonly<Record<string, readonly string[]>> {
  const { searchParams } = new URL(url, 'http://localhost');
  const names = [...new Set(searchParams.keys())];
  return Object.fromEntries(names.map((name) => [name, searchParams.getAll(name).filter((value) => value !== '')]));
}

function firstValues(request: FastifyRequest): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(valuesOf(request)).map(([name, [first]]) => [name, first]));
}

function bodyOf({ body }: FastifyRequest): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null) return body as Record<string, unknown>;
  throw new Refusal(400, 'a body of JSON is needed');
}

interface FailureReport {
  readonly status: number;
  readonly body: FailureAnswer;
  readonly retryAfterSeconds?: number | undefined;
}

/** What of a failure the page is shown: its own words where it was expected, else nothing of the inside. */
function describeFailure(error: unknown): FailureReport {
  const answer = (message: string, remedy?: string) => ({ error: { message, remedy: remedy ?? null } });
  if (error instanceof Refusal) {
    const { status, message, remedy, retryAfterSeconds } = error;
    return { status, body: answer(message, remedy), retryAfterSeconds };
  }
  if (error instanceof Failure) return { status: 400, body: answer(error.message) };
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status >= 400 && status < 500) return { status, body: answer('the request is not understood') };
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  return { status: 500, body: answer('the page’s server failed on this request; its output has the reason') };
}
