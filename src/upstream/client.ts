import type { Transform } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { constants, createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { Agent, buildConnector, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import type { NetworkProxy, ProviderConfig } from '../config/config.ts';
import { createDemoUpstream } from './demo.ts';
import { makeOverflowsCheap, ReadingTurns } from './timing.ts';
import type { Upstream, UpstreamCall, UpstreamHandler, UpstreamRequest } from './upstream.ts';

/** The largest window of zstd within HTTP, 8 MiB (RFC 9659): a larger one would take that much memory for each answer. */
const WINDOW_LOG_MAX = 23;

// Functions, as the executable loads zlib when it is first used (scripts/build/executableMain.cjs).
const DECODERS = new Map<string, () => Transform>([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['deflate', () => createInflate()],
  ['br', () => createBrotliDecompress()],
  ['zstd', () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX } })],
]);

/** The first bytes of compressed bodies; no JSON, event or page begins like them. */
const SIGNATURES = [
  ['gzip', Buffer.from([0x1f, 0x8b, 0x08])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
] as const;

/**
 * The encoding of a body that comes without a word about it, by its first bytes: `plain` when there is none, undefined as long as more
 * bytes are needed.
 */
export function encodingOfBytes(bytes: Uint8Array): 'gzip' | 'zstd' | 'plain' | undefined {
  for (const [encoding, signature] of SIGNATURES) {
    const { length } = signature;
    if (!signature.subarray(0, bytes.length).equals(bytes.subarray(0, length))) continue;
    return bytes.length >= length ? encoding : undefined;
  }
  return 'plain';
}

/**
 * A decoder for an answer that is compressed although the request says `identity`; undefined for a plain one.
 * An unknown encoding counts as plain, and the answer then fails as being neither JSON nor events.
 */
export function createDecoder(encoding: string | string[] | undefined): Transform | undefined {
  return DECODERS.get(String(encoding ?? '').toLowerCase())?.();
}

/** The address of chat completions for one model: `{model}` in it is filled in. */
export function endpointUrl(endpoint: string, model: string): URL {
  return new URL(endpoint.replace('{model}', encodeURIComponent(model.toWellFormed())));
}

interface Address {
  readonly origin: string;
  readonly path: string;
}

function addressOf({ origin, pathname, search }: URL): Address {
  return { origin, path: pathname + search };
}

export interface ClientOptions {
  /** Full address of the provider's API; `{model}` in it stands for the model's name. */
  readonly endpoint: string;
  /** Lower-case name of the header that carries the key. */
  readonly keyHeader: string;
  /** Lower-case names; they replace the client's own of the same name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly userAgent: string;
  readonly connectTimeoutMs: number;
  /** Time until the response headers must be there, in ms. */
  readonly headersTimeoutMs: number;
  readonly networkProxy: NetworkProxy;
  /** What servers' certificates are checked with; undefined for Node's own list. */
  readonly trust?: SecureContext | undefined;
}

// A warm connection saved 550 ms on a 500 KB request at 80 ms round trip, so connections are kept as long as servers allow.
const KEEP_ALIVE_MS = 600_000;
/** Twice what Node takes by default. More of them hold the event loop: a header may have two letters, and takes a microsecond or two. */
const MAX_HEADER_BYTES = 32 * 1024;

type Headers = Record<string, string | string[] | undefined>;

type TlsOptions = { readonly secureContext?: SecureContext };

/** Distinguishes the errors of connections that were used before: most likely the server had just closed them. */
class UsedConnections {
  readonly #errors = new WeakSet<Error>();

  /** Opens connections as undici does by itself. */
  createConnector(timeout: number, tls: TlsOptions): buildConnector.connector {
    const connect = buildConnector({ timeout, allowH2: false, ...tls });
    return (options, callback) =>
      connect(options, (...[error, socket]) => {
        socket?.on('error', (failure: Error) => {
          if (socket.bytesRead > 0) this.#errors.add(failure);
        });
        if (error !== null) return callback(error, null);
        makeOverflowsCheap(socket);
        callback(null, socket);
      });
  }

  isErrorOfOne(error: Error): boolean {
    // Undici's own errors of a connection that was closed hold what is known of it.
    const { socket } = error as { socket?: { bytesRead?: number } };
    return this.#errors.has(error) || (socket?.bytesRead ?? 0) > 0;
  }
}

/** @param isKept whether connections are kept for further requests */
function createDispatcher(options: ClientOptions, used: UsedConnections, isKept: boolean): Dispatcher {
  const tls: TlsOptions = options.trust === undefined ? {} : { secureContext: options.trust };
  const settings: Agent.Options = {
    connect: used.createConnector(options.connectTimeoutMs, tls),
    ...(isKept ? {} : { pipelining: 0 }),
    headersTimeout: options.headersTimeoutMs,
    // Silence within an answer is watched by the gateway, which knows when it paused the answer itself.
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    // HTTP/2 with a small server window was slower on large requests (measured), and one dead connection kills all streams.
    allowH2: false,
  };
  const { httpProxy, httpsProxy, noProxy } = options.networkProxy;
  if (httpProxy === undefined && httpsProxy === undefined) return new Agent(settings);
  return new EnvHttpProxyAgent({
    ...settings,
    // A network proxy is connected to with options of its own, and so is the server behind it.
    proxyTls: tls,
    requestTls: tls,
    ...(httpProxy === undefined ? {} : { httpProxy }),
    ...(httpsProxy === undefined ? {} : { httpsProxy }),
    ...(noProxy === undefined ? {} : { noProxy }),
  });
}

/** After so many pieces of an answer all else has its turn: a server may send each byte as a piece of its own. */
const PIECES_PER_TURN = 4096;

/** What comes of a smaller answer is read at once: even of many such answers together it takes no time. */
const LARGE_ANSWER_BYTES = 4096;

const turns = new ReadingTurns();

const NOTHING = Buffer.alloc(0);

/** Hands undici's events on, decoded, and makes abort, pause and resume safe at any moment. */
class HttpCall implements UpstreamCall, Dispatcher.DispatchHandler {
  readonly #handler: UpstreamHandler;
  readonly #sendAnew: (error: Error) => boolean;
  #mayBeSentAnew = true;
  #controller: Dispatcher.DispatchController | undefined;
  #decoder: Transform | undefined;
  /** The first bytes, until they show whether they are compressed; undefined from then on. */
  #first: Buffer | undefined;
  #paused = false;
  #pieces = 0;
  #bytes = 0;
  /** What has come while it was not its turn; undefined in it is the end. */
  #held: (Buffer | undefined)[] | undefined;
  /** Nothing more comes of it. */
  done = false;

  /** @param sendAnew sends the request on a new connection, if the error is of one that the server had just closed */
  constructor(handler: UpstreamHandler, sendAnew: (error: Error) => boolean) {
    this.#handler = handler;
    this.#sendAnew = sendAnew;
  }

  /** Hands bytes on, or undefined for the end: now, or when it is this answer's turn. */
  #receive(bytes: Buffer | undefined): void {
    if (this.done) return;
    this.#bytes += bytes?.length ?? 0;
    // Also a few bytes may be much work behind many others, as those that end a tool call, of which the whole is looked at.
    const mustWait = this.#held !== undefined || (this.#bytes >= LARGE_ANSWER_BYTES && turns.isOver());
    if (!mustWait) {
      this.#handOn(bytes);
      return;
    }
    if (this.#held === undefined) {
      this.#held = [];
      turns.wait(this);
    }
    this.#held.push(bytes);
    if (bytes !== undefined) this.#source?.pause();
  }

  #handOn(bytes: Buffer | undefined): void {
    if (this.done) return;
    if (bytes !== undefined) {
      this.#handler.onData(bytes);
    } else {
      this.done = true;
      this.#handler.onEnd();
    }
  }

  /** Reads what is held, and lets more come. */
  readHeld(): void {
    for (const bytes of this.#held ?? []) this.#handOn(bytes);
    this.#held = undefined;
    if (!this.done && !this.#paused) this.#source?.resume();
  }

  /** What is paused: a decoder that is held back holds back the connection as soon as it is full. */
  get #source(): Transform | Dispatcher.DispatchController | undefined {
    return this.#decoder ?? this.#controller;
  }

  abort(): void {
    if (this.done) return;
    this.done = true;
    this.#decoder?.destroy();
    this.#controller?.abort(new Error('aborted by the gateway'));
  }

  pause(): void {
    this.#paused = true;
    this.#source?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#held === undefined) this.#source?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.done) controller.abort(new Error('aborted by the gateway'));
    else if (this.#paused) controller.pause();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    this.#mayBeSentAnew = false;
    // An informational answer (103) is followed by the real one.
    if (this.done || status < 200) return;
    const encoding = headers['content-encoding'];
    if (encoding === undefined) this.#first = NOTHING;
    else this.#decode(createDecoder(encoding), controller);
    this.#handler.onHead(status, headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, bytes: Buffer): void {
    if (this.done) return;
    let known = bytes;
    if (this.#first !== undefined) {
      // Some servers and proxies compress although the request says `identity`, and do not say so.
      known = this.#first.length === 0 ? bytes : Buffer.concat([this.#first, bytes]);
      const encoding = encodingOfBytes(known);
      this.#first = encoding === undefined ? known : undefined;
      if (encoding === undefined) return;
      if (encoding !== 'plain') this.#decode(createDecoder(encoding), controller);
    }
    if (this.#decoder === undefined) this.#receive(known);
    else if (!this.#decoder.write(known)) controller.pause();
    this.#pieces += 1;
    if (this.#pieces % PIECES_PER_TURN === 0) this.#pauseForTurn(controller);
  }

  #pauseForTurn(controller: Dispatcher.DispatchController): void {
    controller.pause();
    setImmediate(() => {
      const mayGoOn =
        this.#decoder === undefined ? this.#held === undefined && !this.#paused : !this.#decoder.writableNeedDrain;
      if (mayGoOn) controller.resume();
    });
  }

  onResponseEnd(): void {
    if (this.#first !== undefined && this.#first.length > 0) this.#receive(this.#first);
    if (this.#decoder === undefined) this.#receive(undefined);
    else this.#decoder.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const maySend = !this.done && this.#mayBeSentAnew;
    this.#mayBeSentAnew = false;
    if (!maySend || !this.#sendAnew(error)) this.#fail(error);
  }

  #decode(decoder: Transform | undefined, controller: Dispatcher.DispatchController): void {
    if (decoder === undefined) return;
    this.#decoder = decoder;
    decoder.on('data', (bytes: Buffer) => this.#receive(bytes));
    decoder.on('drain', () => controller.resume());
    decoder.on('end', () => this.#receive(undefined));
    decoder.on('error', (error) => this.#fail(error));
    if (this.#paused) decoder.pause();
  }

  #fail(error: Error): void {
    // What came before the failure counts.
    if (this.#held !== undefined) this.readHeld();
    if (this.done) return;
    this.done = true;
    this.#decoder?.destroy();
    this.#handler.onError(error);
  }
}

/**
 * Speaks HTTP to a provider; redirects are not followed, so that a key never goes to another host. A request whose kept connection the
 * server closes before any answer goes to a new connection, once: a server closes idle ones whenever it likes.
 */
export class HttpUpstream implements Upstream {
  readonly #used = new UsedConnections();
  readonly #dispatcher: Dispatcher;
  /** For requests that are sent anew; made when it is first needed. */
  #unkept: Dispatcher | undefined;
  readonly #options: ClientOptions;
  /** By the endpoint, of which a provider has one for each of its APIs. */
  readonly #addresses = new Map<string, Address>();

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#dispatcher = createDispatcher(options, this.#used, true);
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    const options = this.#describe(request);
    const call: HttpCall = new HttpCall(handler, (error) => {
      if (!this.#used.isErrorOfOne(error)) return false;
      this.#unkept ??= createDispatcher(this.#options, this.#used, false);
      this.#unkept.dispatch(options, call);
      return true;
    });
    // A request that cannot even be written fails at once, which the caller shall not hear before it has the call.
    queueMicrotask(() => {
      if (!call.done) this.#dispatcher.dispatch(options, call);
    });
    return call;
  }

  async close(): Promise<void> {
    await Promise.all([this.#dispatcher.destroy(), this.#unkept?.destroy()]);
  }

  /** Parsed once where it does not depend on the model. */
  #addressFor(endpoint: string, { model }: UpstreamRequest): Address {
    const known = this.#addresses.get(endpoint);
    if (known !== undefined) return known;
    const address = addressOf(endpointUrl(endpoint, model));
    if (!endpoint.includes('{model}')) this.#addresses.set(endpoint, address);
    return address;
  }

  #describe(request: UpstreamRequest): Dispatcher.DispatchOptions {
    const { endpoint, keyHeader, userAgent, headers: ownHeaders } = this.#options;
    const { lookUp, authorization, suffix = '' } = request;
    const { origin, path } =
      lookUp === undefined ? this.#addressFor(request.endpoint ?? endpoint, request) : addressOf(new URL(lookUp));
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      'accept-encoding': 'identity',
      'user-agent': userAgent,
      accept: request.stream ? 'text/event-stream' : 'application/json',
    };
    if (request.headers !== undefined) Object.assign(headers, request.headers);
    if (authorization !== undefined) headers[keyHeader] = authorization;
    Object.assign(headers, ownHeaders);
    return {
      origin,
      path: path + suffix,
      headers,
      method: lookUp === undefined ? 'POST' : 'GET',
      body: lookUp === undefined ? request.body : null,
    };
  }
}

export type ConnectionOptions = Omit<ClientOptions, 'endpoint' | 'keyHeader' | 'headers'>;

/** The way to a provider: over HTTP with a pool of connections of its own, or into the built-in demo. */
export function createUpstream(
  { preset, endpoint, keyHeader, headers }: ProviderConfig,
  options: ConnectionOptions,
): Upstream {
  if (preset.protocol === 'demo') return createDemoUpstream();
  return new HttpUpstream({ endpoint, keyHeader, headers, ...options });
}
