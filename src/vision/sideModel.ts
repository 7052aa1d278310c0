import type { VisionModel } from '../config/config.ts';
import { localDay } from '../core/clock.ts';
import { ApiError, asApiError } from '../core/errors.ts';
import { asString, isObject, type JsonObject, parseObject } from '../core/json.ts';
import { describePictures } from '../gateway/adapters/adapter.ts';
import { MessagesAdapter } from '../gateway/adapters/messagesAdapter.ts';
import { TranslatingAdapter } from '../gateway/adapters/translatingAdapter.ts';
import { respondWithFallback } from '../gateway/fallback/fallbackRunner.ts';
import { RequestBody } from '../gateway/requestBody.ts';
import { createId, type RequestContext, recordError } from '../gateway/requestContext.ts';
import type { ResponseWriter, SseFormat } from '../gateway/responseWriter.ts';
import { isNative, type Plan } from '../gateway/route.ts';
import type { AskedRequest, Services } from '../gateway/services.ts';
import { MessageAssembler } from '../protocol/anthropic/message.ts';
import type { RequestRecord } from '../telemetry/requestRecord.ts';
import { requestCost } from '../telemetry/usage/cost.ts';
import { SIDE_VISION } from '../telemetry/usage/totals.ts';
import { ConversationCache } from '../translate/conversationCache.ts';

/** A client inside the process, which puts the answer together. */
class AnswerCollector implements ResponseWriter {
  readonly #assembler = new MessageAssembler();
  #whole: JsonObject | undefined;

  /** The message; undefined when it was not complete. */
  get message(): JsonObject | undefined {
    return this.#whole ?? this.#assembler.end();
  }

  sendJson(_status: number, _headers: Readonly<Record<string, string>>, body: string): void {
    this.#whole = parseObject(body);
  }

  openStream(): void {}

  write(output: string | Uint8Array): boolean {
    this.#assembler.push(output);
    return true;
  }

  end(output: string | Uint8Array): void {
    this.#assembler.push(output);
  }

  onDrain(): void {}

  onGone(): void {}
}

/** A side model answers nobody who would have to be kept waiting. */
const FORMAT: SseFormat = { ping: undefined, errorText: () => '' };

/** One repetition, and what the adaptation of the request and other keys may take. */
const RETRIES = 1;
const MOST_ATTEMPTS = 4;

/** The services of the request, with the limits of a side call. */
function sideServices(services: Services): Services {
  const { config } = services;
  const budget = { attempts: MOST_ATTEMPTS, timeMs: config.visionTimeoutMs };
  return { ...services, config: { ...config, maxRetries: RETRIES, requestTimeoutMs: config.visionTimeoutMs, budget } };
}

/** The plan of a request that only one model may serve. */
function planFor({ ref }: VisionModel, conversation: string): Plan {
  const { named } = ref;
  const own = named === undefined ? ref : { ...ref, named: { ...named, maxRetries: RETRIES } };
  return {
    requestedModel: ref.name,
    decision: { rule: 'named', tier: 'none', model: own, reason: 'it describes pictures' },
    candidates: [own],
    conversation: () => conversation,
    notes: [],
  };
}

function createRecord({ record }: AskedRequest): RequestRecord {
  const { session, sessionId, project, agent, client } = record;
  return {
    id: createId('req_'),
    endpoint: SIDE_VISION,
    provider: '',
    stream: true,
    status: 200,
    outcome: 'ok',
    durationMs: 0,
    session,
    sessionId,
    project,
    agent,
    client,
  };
}

/** Counts a side call in a row of its own; the client's own figures stay free of it. */
function countSideCall({ config, clock, usage }: Services, record: RequestRecord): void {
  record.cost = requestCost(record, config, localDay(clock.now()), clock.now());
  usage.finish(record);
}

/** What the message says; an answer without words says why. */
function textOf(message: JsonObject | undefined, record: RequestRecord): string {
  if (message === undefined) throw new ApiError('bad_gateway', record.errorMessage ?? 'the answer broke off');
  const { content } = message;
  const texts = (Array.isArray(content) ? content : []).flatMap((block) =>
    isObject(block) && block['type'] === 'text' ? [asString(block['text']) ?? ''] : [],
  );
  const text = texts.join('\n');
  if (text.trim() === '') throw new ApiError('bad_gateway', `an answer without words (${message['stop_reason']})`);
  return message['stop_reason'] === 'max_tokens' ? `${text}\n(the description ends here)` : text;
}

/** What a side call has said, or why it has said nothing, and what was counted of it. */
export interface SideAnswer {
  readonly text: string;
  readonly reason: string | undefined;
  readonly record: Readonly<RequestRecord>;
}

/**
 * Asks a side model, on the way that every request takes: its provider's limits, keys, circuit breaker and network settings hold, and a
 * failure is repeated once. Never rejects.
 * @param value the Messages request
 * @param conversation by which a key is chosen where the provider has several
 */
export async function askSideModel(
  asked: AskedRequest,
  vision: VisionModel,
  value: JsonObject,
  conversation: string,
): Promise<SideAnswer> {
  const services = sideServices(asked.services);
  const { clock, config, inFlight } = services;
  const bytes = Buffer.from(JSON.stringify(value));
  const controller = new AbortController();
  const seconds = config.visionTimeoutMs / 1000;
  const late = new ApiError('upstream_timeout', `no description within ${seconds} s (VISION_TIMEOUT)`);
  const deadline = setTimeout(() => controller.abort(late), config.visionTimeoutMs).unref();
  const record = createRecord(asked);
  const writer = new AnswerCollector();
  const context: RequestContext = {
    trace: undefined,
    services,
    incoming: {
      id: record.id,
      endpoint: SIDE_VISION,
      body: bytes,
      // The client's own key goes along only where the provider is asked with it anyway; its headers are about its own request.
      forwarded: {
        query: '',
        headers: {},
        credentials: asked.incoming.forwarded.credentials,
        providerKey: asked.incoming.forwarded.providerKey,
      },
      session: undefined,
      agent: undefined,
      userAgent: undefined,
    },
    writer,
    record,
    startedAt: clock.monotonic(),
    signal: controller.signal,
  };
  const body = new RequestBody(bytes, value, new ConversationCache());
  const plan = planFor(vision, conversation);
  inFlight.add(controller);
  let text = '';
  let reason: string | undefined;
  try {
    await respondWithFallback(context, plan, FORMAT, async (route) => {
      // Says so where the provider has refused pictures for this model.
      await describePictures(context, body, route);
      return isNative(route)
        ? new MessagesAdapter(context, plan, body, route)
        : TranslatingAdapter.create(context, plan, body, route);
    });
    text = textOf(writer.message, record);
  } catch (thrown) {
    const error = asApiError(thrown);
    recordError(context, error, 'error');
    reason = error.message;
  }
  clearTimeout(deadline);
  inFlight.remove(controller);
  record.durationMs = Math.round(clock.monotonic() - context.startedAt);
  countSideCall(services, record);
  return { text, reason, record };
}
