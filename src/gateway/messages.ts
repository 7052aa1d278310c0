import { asString, isObject } from '../core/json.ts';
import type { HookInfo, HookName, Hooks } from '../hooks/hooks.ts';
import { errorBody, errorEvent, PING_EVENT } from '../protocol/anthropic/errors.ts';
import { MessageAssembler } from '../protocol/anthropic/message.ts';
import type { RequestRecord } from '../telemetry/requestRecord.ts';
import { type Adapter, describePictures } from './adapters/adapter.ts';
import { MessagesAdapter } from './adapters/messagesAdapter.ts';
import { TranslatingAdapter } from './adapters/translatingAdapter.ts';
import { respondWithFallback } from './fallback/fallbackRunner.ts';
import { type RequestBody, withBody } from './requestBody.ts';
import {
  handleRequest,
  type RequestContext,
  type RequestHandler,
  recordClient,
  recordPlan,
  recordRoute,
} from './requestContext.ts';
import type { ResponseWriter, SseFormat } from './responseWriter.ts';
import { filterByWebSearch, isNative, planRequest, type Route, routeTo } from './route.ts';
import type { IncomingRequest, Services } from './services.ts';
import { answerWebSearch, SEARCH_REFUSED } from './webSearch.ts';

/** The client's side of a request whose answer somebody wants to see: a whole one before it goes out, a streamed one after it. */
export class HookedWriter implements ResponseWriter {
  /** Resolves when a whole answer is out; at once for a stream, which waits for nobody. */
  sent: Promise<void> = Promise.resolve();
  readonly #writer: ResponseWriter;
  readonly #show: (message: string) => Promise<string | undefined>;
  readonly #assembler = new MessageAssembler();

  /** @param show takes a message as JSON text and gives it back if it is changed; never rejects */
  constructor(writer: ResponseWriter, show: (message: string) => Promise<string | undefined>) {
    this.#writer = writer;
    this.#show = show;
  }

  sendJson(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    this.sent = this.#show(body).then((changed) => this.#writer.sendJson(status, headers, changed ?? body));
  }

  openStream(headers?: Readonly<Record<string, string>>): void {
    this.#writer.openStream(headers);
  }

  write(output: string | Uint8Array): boolean {
    this.#assembler.push(output);
    return this.#writer.write(output);
  }

  end(output: string | Uint8Array): void {
    this.#assembler.push(output);
    this.#writer.end(output);
    const message = this.#assembler.end();
    if (message !== undefined) void this.#show(JSON.stringify(message));
  }

  onDrain(listener: () => void): void {
    this.#writer.onDrain(listener);
  }

  onGone(listener: () => void): void {
    this.#writer.onGone(listener);
  }
}

function infoOf({ record, services }: RequestContext, { value }: RequestBody): HookInfo {
  const { model, stream } = isObject(value) ? value : {};
  return {
    instance: services.config.instance,
    id: record.id,
    provider: record.provider,
    model: asString(model),
    stream: stream === true,
    agent: record.agent,
    session: record.session,
  };
}

/** Answers a request as the user's hooks have changed it, and shows them the answer; both are JSON texts to whoever is in between. */
async function answerHooked(context: RequestContext, body: RequestBody, hooks: Hooks): Promise<void> {
  const { inFlight } = context.services;
  const info = infoOf(context, body);
  const call = async (name: HookName, text: string) => {
    const release = inFlight.begin();
    const changed = await hooks.call(name, text, { ...info, provider: context.record.provider });
    release();
    return changed;
  };
  const changed = hooks.has('request') ? await call('request', JSON.stringify(body.value)) : undefined;
  const answerChanged = (writer: ResponseWriter) => {
    if (changed === undefined) return answer({ ...context, writer }, body);
    return withBody(context.services, Buffer.from(changed), (changedBody) =>
      answer({ ...context, writer }, changedBody),
    );
  };
  if (!hooks.has('response')) return answerChanged(context.writer);
  const writer = new HookedWriter(context.writer, (message) => call('response', message));
  await answerChanged(writer);
  await writer.sent;
}

function answer(context: RequestContext, body: RequestBody): Promise<void> {
  const { services, incoming, writer, record } = context;
  const plan = planRequest(services, incoming, body);
  recordPlan(context, plan);
  recordClient(context, body.object);
  const candidates = filterByWebSearch(services, plan.candidates, body);
  if (candidates.length === 0) {
    recordRoute(context, routeTo(services, plan.decision.model));
    record.notes = [...plan.notes, SEARCH_REFUSED];
    answerWebSearch(writer, body.parsed);
    return Promise.resolve();
  }
  const createAdapter = (route: Route, readable = body): Adapter | Promise<Adapter> =>
    isNative(route)
      ? new MessagesAdapter(context, plan, readable, route)
      : TranslatingAdapter.create(context, plan, readable, route);
  return respondWithFallback(
    context,
    candidates === plan.candidates ? plan : { ...plan, candidates },
    record.stream ? STREAMED : WHOLE,
    services.config.vision === undefined
      ? createAdapter
      : async (route) => createAdapter(route, await describePictures(context, body, route)),
  );
}

const STREAMED: SseFormat = { ping: PING_EVENT, errorText: errorEvent };
const WHOLE: SseFormat = { ping: undefined, errorText: errorEvent };

const MESSAGES: RequestHandler = {
  answer(context, body) {
    const { hooks } = context.services;
    return hooks.areIdle ? answer(context, body) : answerHooked(context, body, hooks);
  },
  errorBody,
};

/**
 * Answers `POST /v1/messages`; resolves when the answer is complete or the client is gone, with what was logged of it, and never
 * rejects.
 */
export function answerMessages(
  services: Services,
  incoming: IncomingRequest,
  writer: ResponseWriter,
): Promise<Readonly<RequestRecord>> {
  return handleRequest(services, incoming, writer, MESSAGES);
}
