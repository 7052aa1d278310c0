import { asString, isObject } from '../core/json.ts';
import type { HookInfo, HookName, Hooks } from '../hooks/hooks.ts';
import { errorBody, errorEvent, PING_EVENT } from '../protocol/anthropic/errors.ts';
import { MessageAssembler } from '../protocol/anthropic/message.ts';
import { answerWithSearch, refuseSearch, SEARCH_REFUSED, type SearchReport } from '../search/answer.ts';
import { findSearch, type OfferedSearch } from '../search/history.ts';
import type { SearchClient } from '../search/searchClient.ts';
import type { RequestRecord } from '../telemetry/requestRecord.ts';
import { type Adapter, bodyOfToolRequest, describePictures, expandSearches } from './adapters/adapter.ts';
import { MessagesAdapter } from './adapters/messagesAdapter.ts';
import { TranslatingAdapter } from './adapters/translatingAdapter.ts';
import { respondWithFallback } from './fallback/fallbackRunner.ts';
import { type RequestBody, withBody } from './requestBody.ts';
import {
  admitClient,
  createId,
  handleRequest,
  type RequestContext,
  type RequestHandler,
  recordClient,
  recordError,
  recordPlan,
  recordRound,
  recordRoute,
} from './requestContext.ts';
import type { ResponseWriter, SseFormat } from './responseWriter.ts';
import { filterByWebSearch, isNative, type Plan, planRequest, type Route, routeTo } from './route.ts';
import type { IncomingRequest, Services } from './services.ts';

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
  const planned = planRequest(services, incoming, body);
  recordPlan(context, planned);
  recordClient(context, body.object);
  const plan = admitClient(context, planned, body);
  if (services.search !== undefined) return answerBySearch(context, plan, body, services.search);
  const candidates = filterByWebSearch(services, plan.candidates, body);
  if (candidates.length === 0) {
    recordRoute(context, routeTo(services, plan.decision.model));
    record.notes = [...plan.notes, SEARCH_REFUSED];
    record.searchRefused = true;
    refuseSearch({ writer, createId }, body.parsed);
    return Promise.resolve();
  }
  return respond(context, candidates === plan.candidates ? plan : { ...plan, candidates }, body);
}

function respond(
  context: RequestContext,
  plan: Plan,
  body: RequestBody,
  isStream = context.record.stream,
): Promise<void> {
  const createAdapter = (route: Route, readable = body): Adapter | Promise<Adapter> =>
    isNative(route)
      ? new MessagesAdapter(context, plan, readable, route)
      : TranslatingAdapter.create(context, plan, readable, route);
  return respondWithFallback(
    context,
    plan,
    isStream ? STREAMED : WHOLE,
    context.services.config.vision === undefined
      ? createAdapter
      : async (route) => createAdapter(route, await describePictures(context, body, route)),
  );
}

/** Answers a request where this proxy searches the web: by the usual way, unless the request offers a search or has one in its history. */
async function answerBySearch(
  context: RequestContext,
  plan: Plan,
  body: RequestBody,
  client: SearchClient,
): Promise<void> {
  const { services } = context;
  const search = findSearch(body.object);
  if (search !== undefined) return answerSearching(context, plan, body, client, search);
  return respond(context, plan, await expandSearches(services, body));
}

async function answerSearching(
  context: RequestContext,
  plan: Plan,
  body: RequestBody,
  client: SearchClient,
  search: OfferedSearch,
): Promise<void> {
  const { services, writer, signal, record } = context;
  const { stream } = record;
  const report: SearchReport = { searches: 0, failed: 0, isListed: false };
  const [first] = plan.candidates;
  if (first === undefined) throw new TypeError('a plan without candidates');
  const { pingMs } = services.models.get(first).settings;
  const ask: Parameters<typeof answerWithSearch>[0]['ask'] = async (request, round) => {
    // Whether the client streams or not, the model's answer is read as a stream, and its log line is of one round alone.
    const own: RequestRecord = { ...newRound(record), stream: true };
    try {
      const asked = await bodyOfToolRequest(services, request, body.bytes.length);
      await respond({ ...context, writer: round, record: own }, plan, asked, stream);
    } finally {
      recordRound(record, { ...own, stream });
    }
  };
  try {
    await answerWithSearch({ client, search, writer, signal, pingMs, createId, ask }, body.parsed, report);
    if (report.error !== undefined) recordError(context, report.error, 'interrupted');
    else if (signal.aborted) record.outcome = 'client_closed';
  } finally {
    recordSearches(context, client, report);
  }
}

/** The log line as it is before a model was asked. */
function newRound(record: RequestRecord): RequestRecord {
  const { id, endpoint, provider, tier, route, model, session, sessionId, project, agent, pictures } = record;
  return {
    id,
    endpoint,
    provider,
    tier,
    route,
    model,
    session,
    sessionId,
    project,
    agent,
    pictures,
    stream: true,
    status: 200,
    outcome: 'ok',
    durationMs: 0,
  };
}

function recordSearches(
  { services, record }: RequestContext,
  { config }: SearchClient,
  { searches, failed, reason, isListed }: SearchReport,
): void {
  record.searches = searches;
  record.failedSearches = failed;
  record.searchFailure = reason;
  if (config.price !== undefined) record.searchCost = searches * config.price;
  if (isListed) {
    // The client has a whole answer, although no model has written it.
    Object.assign(record, { status: 200, outcome: 'ok', errorType: undefined, errorMessage: undefined });
    record.notes = [...(record.notes ?? []), 'search results listed'];
  }
  if (reason !== undefined)
    services.logger.warn('a search of the web failed', { back_end: config.api.name, reason, address: config.endpoint });
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
