import { ApiError, forInstance, suggestionsFor } from '../core/errors.ts';
import { isObject, type JsonObject, parseObject } from '../core/json.ts';
import { answerMessages } from './messages.ts';
import type { ResponseWriter } from './responseWriter.ts';
import { routeTo } from './route.ts';
import type { IncomingRequest, Services } from './services.ts';

export interface CollectedError {
  readonly type: string;
  readonly message: string;
}

/** A first sign of the answer itself: what comes before it says only that it begins. */
const CONTENT = /^event: ?(?:content_block_start|message_delta)$/m;
const MESSAGE_ID = /"id":\s*"(msg_[^"]+)"/;
const ERROR_EVENT = /^event: ?error\r?\ndata: ?(.*)$/m;

/** A client inside the process: keeps what a small streamed answer says of itself. */
export class CollectingWriter implements ResponseWriter {
  readonly #now: () => number;
  readonly #decoder = new TextDecoder();
  #text = '';
  #error: CollectedError | undefined;
  #contentAt: number | undefined;
  #onGone: () => void = () => {};
  #isGone = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  get error(): CollectedError | undefined {
    return this.#error ?? readError(ERROR_EVENT.exec(this.#text)?.[1]);
  }

  /** When the answer began to say something, by the given clock. */
  get contentAt(): number | undefined {
    return this.#contentAt;
  }

  get messageId(): string | undefined {
    return MESSAGE_ID.exec(this.#text)?.[1];
  }

  /** Gives up the answer, as a client that hangs up does. */
  leave(): void {
    this.#isGone = true;
    this.#onGone();
  }

  sendJson(_status: number, _headers: Readonly<Record<string, string>>, body: string): void {
    this.#error = readError(body);
  }

  openStream(): void {}

  write(output: string | Uint8Array): boolean {
    this.#text += typeof output === 'string' ? output : this.#decoder.decode(output, { stream: true });
    if (CONTENT.test(this.#text)) this.#contentAt ??= this.#now();
    return true;
  }

  end(output: string | Uint8Array): void {
    this.write(output);
  }

  onDrain(): void {}

  onGone(listener: () => void): void {
    this.#onGone = listener;
    if (this.#isGone) listener();
  }
}

function readError(text: string | undefined): CollectedError | undefined {
  const error = parseObject(text ?? '')?.['error'];
  return isObject(error) ? { type: String(error['type']), message: String(error['message']) } : undefined;
}

/** An answer of `GET /test-connection`; the names are those of earlier proxies. */
export interface ConnectionTestResult {
  readonly status: 200 | 503;
  readonly body: JsonObject;
}

/** How long a test may take, in ms. */
const TEST_TIMEOUT_MS = 30_000;
const MAX_TOKENS = 16;

export interface ConnectionTest {
  /**
   * Sends one small streamed request to the model of the small tier, on the way that every request takes.
   * @param services those of the caller's request
   * @param caller what is known of the request that asks for the test
   * @param onGone is given a function that ends the test, for a caller that hangs up
   * @throws ApiError `rate_limited` while another test is under way: each one costs tokens.
   */
  run(
    services: Services,
    caller: Omit<IncomingRequest, 'body'>,
    onGone: (end: () => void) => void,
  ): Promise<ConnectionTestResult>;
}

/** Tests the connection to the provider of one instance, one test at a time. */
export function createConnectionTest(timeoutMs = TEST_TIMEOUT_MS): ConnectionTest {
  let isUnderWay = false;
  return {
    async run(services, caller, onGone) {
      if (isUnderWay) {
        throw new ApiError('rate_limited', 'another connection test is under way; ask again when it is over', {
          retryAfterSeconds: 1,
        });
      }
      isUnderWay = true;
      try {
        return await testConnection(services, caller, timeoutMs, onGone);
      } finally {
        isUnderWay = false;
      }
    },
  };
}

async function testConnection(
  services: Services,
  caller: Omit<IncomingRequest, 'body'>,
  timeoutMs: number,
  onGone: (end: () => void) => void,
): Promise<ConnectionTestResult> {
  const { clock, config } = services;
  const request = {
    model: config.tiers.small,
    max_tokens: MAX_TOKENS,
    stream: true,
    messages: [{ role: 'user', content: 'Answer with one word: ready' }],
  };
  // Each test is a conversation of its own, so that it begins with the provider that a new one would begin with.
  const incoming = { ...caller, session: caller.id, body: Buffer.from(JSON.stringify(request)) };
  const startedAt = clock.monotonic();
  const writer = new CollectingWriter(() => clock.monotonic());
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    writer.leave();
  }, timeoutMs);
  onGone(() => writer.leave());
  const { routedModel, fallbacks } = await answerMessages(services, incoming, writer);
  clearTimeout(deadline);

  const timestamp = new Date(clock.now()).toISOString();
  const error = isLate
    ? { type: 'timeout_error', message: `[${config.instance}] no whole answer within ${timeoutMs / 1000} s` }
    : writer.error;
  if (error !== undefined) {
    const suggestions = forInstance(suggestionsFor(error.type), config.instance);
    return {
      status: 503,
      body: { status: 'failed', error_type: error.type, message: error.message, timestamp, suggestions },
    };
  }
  const { model, backend, provider } = routeTo(services, config.modelRefs.of(routedModel ?? config.tiers.small));
  return {
    status: 200,
    body: {
      status: 'success',
      message: `${backend.provider.preset.title} answers`,
      model_used: model.name,
      provider,
      timestamp,
      ...(fallbacks === undefined ? {} : { fallbacks: fallbacks.map(({ from, reason }) => ({ from, reason })) }),
      ...(writer.messageId === undefined ? {} : { response_id: writer.messageId }),
      first_token_ms: Math.round((writer.contentAt ?? clock.monotonic()) - startedAt),
    },
  };
}
