import { answerMessages } from '../../src/gateway/messages.ts';
import type { ResponseWriter } from '../../src/gateway/responseWriter.ts';
import { Backends, type IncomingRequest, type Services } from '../../src/gateway/services.ts';
import { CircuitBreaker } from '../../src/resilience/circuitBreaker.ts';
import { ConcurrencyLimiter } from '../../src/resilience/concurrencyLimiter.ts';
import { KeyPool } from '../../src/resilience/keyPool.ts';
import type { Upstream, UpstreamHandler } from '../../src/upstream/upstream.ts';
import { message } from './startApp.ts';

/** A client without a socket: what it gets is kept, and the test says when it is slow or gone. */
export class StubWriter implements ResponseWriter {
  status: number | undefined;
  text = '';
  ended = false;
  /** While true, the client takes nothing more in. */
  slow = false;
  #onDrain: () => void = () => {};
  #onGone: () => void = () => {};
  readonly #goneBefore: boolean;

  constructor(goneBefore = false) {
    this.#goneBefore = goneBefore;
  }

  sendJson(status: number, _headers: Readonly<Record<string, string>>, body: string): void {
    if (this.status !== undefined) throw new Error('a second head');
    this.status = status;
    this.text = body;
    this.ended = true;
  }

  openStream(): void {
    if (this.status !== undefined) throw new Error('a second head');
    this.status = 200;
  }

  write(output: string | Uint8Array): boolean {
    if (this.ended) throw new Error('a write after the end');
    this.text += Buffer.from(output).toString();
    return !this.slow;
  }

  end(output: string | Uint8Array): void {
    this.write(output);
    this.ended = true;
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  onGone(listener: () => void): void {
    this.#onGone = listener;
    if (this.#goneBefore) listener();
  }

  drain(): void {
    this.slow = false;
    this.#onDrain();
  }

  leave(): void {
    this.#onGone();
  }
}

/** One request as the provider has it in hand: the test plays its answer. */
export interface StubCall extends UpstreamHandler {
  aborted: boolean;
  paused: boolean;
}

/** A provider without a network: each request waits in `calls` for what the test does with it. */
export class StubUpstream implements Upstream {
  readonly calls: StubCall[] = [];

  send(_request: unknown, handler: UpstreamHandler) {
    const call: StubCall = {
      onHead: (status, headers) => handler.onHead(status, headers),
      onData: (bytes) => handler.onData(bytes),
      onEnd: () => handler.onEnd(),
      onError: (error) => handler.onError(error),
      aborted: false,
      paused: false,
    };
    this.calls.push(call);
    return {
      abort: () => {
        call.aborted = true;
      },
      pause: () => {
        call.paused = true;
      },
      resume: () => {
        call.paused = false;
      },
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The request under way. */
  get call(): StubCall {
    const call = this.calls.at(-1);
    if (call === undefined) throw new Error('the provider was not asked');
    return call;
  }

  /** Begins an event stream with these words, or goes on with it. */
  say(...frames: string[]): void {
    for (const frame of frames) this.call.onData(Buffer.from(frame));
  }

  open(status = 200, contentType = 'text/event-stream'): void {
    this.call.onHead(status, { 'content-type': contentType });
  }
}

/** One conversation as the server hands it over. */
export function ask(
  services: Services,
  stream: boolean,
  writer = new StubWriter(),
  model = 'model',
): { writer: StubWriter; answered: Promise<unknown> } {
  const incoming: IncomingRequest = {
    id: 'req_test',
    endpoint: '/v1/messages',
    body: Buffer.from(String(message(model, { stream, temperature: 0.5 }).body)),
    forwarded: { query: '', headers: {}, credentials: {}, providerKey: undefined },
    session: undefined,
    agent: undefined,
    userAgent: undefined,
  };
  return { writer, answered: answerMessages(services, incoming, writer) };
}

/** The backends of an instance whose every provider is the stub, and never given up. */
export function stubBackends(upstream: StubUpstream): Backends {
  const clock = { now: () => 0, monotonic: () => 0 };
  const breaker = new CircuitBreaker(clock, { failures: Number.POSITIVE_INFINITY, windowMs: 30_000, openMs: 10_000 });
  const rest = { breaker, limiter: new ConcurrencyLimiter(0, 0), countsAllFailures: false };
  return new Backends({
    connect: (provider) => ({ ...rest, provider, upstream, keys: new KeyPool([provider.key], clock, () => '') }),
  });
}
