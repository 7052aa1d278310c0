import { randomUUID } from 'node:crypto';
import type { ClientRequest } from '../clients/clientAccounts.ts';
import type { Config, ProviderKey } from '../config/config.ts';
import { localDay } from '../core/clock.ts';
import { ApiError, asApiError } from '../core/errors.ts';
import { asNumber, isObject, type JsonObject } from '../core/json.ts';
import type { RequestTrace, TraceHeaders } from '../otlp/tracer.ts';
import { offersToolSearch, readClientIntent, readWorkingDirectory } from '../protocol/anthropic/claudeCode.ts';
import { errorHeaders } from '../protocol/anthropic/errors.ts';
import type { Usage } from '../protocol/delta.ts';
import type { ToolNotice } from '../telemetry/requestCounters.ts';
import { type RequestRecord, shortHash } from '../telemetry/requestRecord.ts';
import { requestCost } from '../telemetry/usage/cost.ts';
import { type RequestBody, withBody } from './requestBody.ts';
import type { ResponseWriter } from './responseWriter.ts';
import { keyLabel, type Plan, protocolOfRoute, type Route } from './route.ts';
import type { IncomingRequest, Services } from './services.ts';

/** A new id of Anthropic's form: the prefix (`msg_`, `toolu_`, `req_`) and 24 random digits and letters. */
export function createId(prefix: string): string {
  return prefix + randomUUID().replaceAll('-', '').slice(0, 24);
}

/** One request on its way through the gateway. */
export interface RequestContext {
  readonly services: Services;
  readonly incoming: IncomingRequest;
  readonly writer: ResponseWriter;
  /** What will be logged; filled in on the way. */
  readonly record: RequestRecord;
  /** When the request came in, by the monotonic clock, in ms. */
  readonly startedAt: number;
  /** Undefined for a client without a token of its own. */
  readonly client?: ClientRequest | undefined;
  /** Aborts when the client goes away; with an ApiError when the instance stops, which is what the client then gets. */
  readonly signal: AbortSignal;
  /** Undefined where requests are not followed. */
  readonly trace: RequestTrace | undefined;
}

/** How an endpoint answers its requests. */
export interface RequestHandler {
  answer(context: RequestContext, body: RequestBody): Promise<void>;
  /** The body for what `answer` throws. */
  errorBody(error: ApiError, requestId: string): string;
}

/** Whole milliseconds since the request came in. */
export function elapsedMs({ services, startedAt }: RequestContext): number {
  return Math.round(services.clock.monotonic() - startedAt);
}

/** Writes into the log line where the request shall go. */
export function recordPlan({ record }: RequestContext, { requestedModel, decision }: Plan): void {
  record.model = requestedModel;
  record.tier = decision.tier;
  if (decision.rule !== 'tier') record.route = decision.rule;
}

/** Writes into the log line what the client wants, as far as it says so. */
export function recordClient({ record, incoming, services }: RequestContext, body: JsonObject): void {
  const { usageProjects } = services.config;
  record.stream = body['stream'] === true;
  record.intent = readClientIntent(body, incoming.agent !== undefined);
  if (record.intent === 'chat' && record.session !== undefined) record.toolSearch = offersToolSearch(body);
  const folder = usageProjects === 'off' ? undefined : readWorkingDirectory(body);
  record.project = usageProjects === 'hash' ? folder && shortHash(folder) : folder;
}

/** Writes into the log line whom the request goes to now. */
export function recordRoute({ record }: Pick<RequestContext, 'record'>, route: Route): void {
  const { ref, provider, model, backend } = route;
  record.provider = provider;
  record.protocol = protocolOfRoute(route);
  record.upstreamModel = model.name;
  record.routedModel = ref.name;
  record.key = backend.provider.key.source;
}

/** Writes into the log line which key is sent: its name where there are several, else where it comes from. */
export function recordKey({ record }: Pick<RequestContext, 'record'>, { backend }: Route, key: ProviderKey): void {
  const { moreKeys } = backend.provider;
  record.key = moreKeys === undefined ? key.source : keyLabel([backend.provider.key, ...moreKeys], key);
}

/** Writes into the log line how the request failed; a fault of the proxy itself gets a line of its own with the reason. */
export function recordError(context: RequestContext, error: ApiError, outcome: RequestRecord['outcome']): void {
  const { record, services, incoming } = context;
  record.status = outcome === 'interrupted' ? 200 : error.status;
  record.outcome = outcome;
  record.errorType = error.type;
  record.errorMessage = error.message;
  if (error.cause instanceof Error) {
    services.logger.error('request failed inside the proxy', { id: incoming.id, reason: String(error.cause.stack) });
  }
}

/** A session's id as Claude Code makes them; what else stands in the header is kept as a hash only. */
const SESSION_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const NO_TRACE: TraceHeaders = { traceparent: undefined, tracestate: undefined };

function createRecord(services: Services, incoming: IncomingRequest): RequestRecord {
  return {
    id: incoming.id,
    endpoint: incoming.endpoint,
    provider: services.config.provider.preset.name,
    key: services.config.provider.key.source,
    stream: false,
    status: 200,
    outcome: 'ok',
    durationMs: 0,
    session: incoming.session && shortHash(incoming.session),
    sessionId: SESSION_ID.test(incoming.session ?? '') ? incoming.session : undefined,
    agent: incoming.agent,
    client: incoming.client?.name,
    clientVersion: incoming.userAgent,
    requestBytes: incoming.body.length,
  };
}

/**
 * Carries one request from its arrival to its line in the log. What the handler throws becomes an error answer; a fault of the proxy
 * itself is logged and becomes a 500. Resolves with what was logged, and never rejects.
 */
export async function handleRequest(
  services: Services,
  incoming: IncomingRequest,
  writer: ResponseWriter,
  handler: RequestHandler,
): Promise<RequestRecord> {
  const { clock, config, inFlight, logger, stats, usage } = services;
  const record = createRecord(services, incoming);
  const controller = new AbortController();
  const context: RequestContext = {
    services,
    incoming,
    writer,
    record,
    client: incoming.client && config.clients && services.clients.open(config.clients, incoming.client),
    startedAt: clock.monotonic(),
    signal: controller.signal,
    trace: services.tracer?.begin(incoming.forwarded.trace ?? NO_TRACE),
  };
  writer.onGone(() => controller.abort());
  inFlight.add(controller);
  stats.start();
  let error: ApiError | undefined;
  try {
    await withBody(services, incoming.body, (body) => handler.answer(context, body));
  } catch (thrown) {
    error = asApiError(thrown);
    const answered = withRemedy(error, config);
    writer.sendJson(error.status, errorHeaders(error), handler.errorBody(answered, incoming.id));
  }
  inFlight.remove(controller);
  record.durationMs = elapsedMs(context);
  // A request that cannot be counted or logged is no reason to end the process.
  try {
    if (error !== undefined) recordError(context, error, record.attempts === undefined ? 'rejected' : 'error');
    record.cost = requestCost(record, config, localDay(clock.now()), clock.now());
    const notice = stats.finish(record);
    if (notice !== undefined) warnOfTools(logger, record, notice);
    usage.finish(record);
    context.trace?.end(record);
    logger.request(record);
  } catch (thrown) {
    const reason = thrown instanceof Error ? String(thrown.stack) : String(thrown);
    logger.error('a request could not be counted or logged', { id: incoming.id, reason });
  }
  context.client?.release();
  return record;
}

/** So many bytes of a request have at least one token, whatever the language. */
const BYTES_OF_TOKEN = 3;

/**
 * Takes a request of a client with a token of its own into account, and leaves of its plan what the client may use.
 * @throws ApiError (model_not_allowed, client_limit)
 */
export function admitClient(
  { services, client, record }: RequestContext,
  plan: Plan,
  { bytes, value }: RequestBody,
): Plan {
  if (client === undefined) return plan;
  const { config, clock } = services;
  const { tier, model } = plan.decision;
  const candidates = plan.candidates.filter((ref) => client.mayUse(ref, tier));
  const [first] = candidates;
  if (first === undefined) {
    const { name, models = [] } = client.client;
    throw new ApiError(
      'model_not_allowed',
      `the token of ${name} is not for ${model.name}; it is for ${models.join(', ')}`,
    );
  }
  client.admit(() => {
    const { max_tokens, max_completion_tokens } = isObject(value) ? value : {};
    const output = asNumber(max_tokens) ?? asNumber(max_completion_tokens) ?? 0;
    const outputTokens = Math.min(Math.max(0, output), config.limits.maxTokens ?? Number.MAX_SAFE_INTEGER);
    const inputTokens = Math.ceil(bytes.length / BYTES_OF_TOKEN);
    const largest = { ...record, routedModel: first.name, inputTokens, outputTokens };
    const cost = requestCost(largest, config, localDay(clock.now()), clock.now()) ?? 0;
    return { tokens: inputTokens + outputTokens, cost };
  });
  return candidates.length === plan.candidates.length ? plan : { ...plan, candidates };
}

/** Says in the log what a session lacks of its tools, once in each. */
function warnOfTools(logger: Services['logger'], { model, session }: RequestRecord, notice: ToolNotice): void {
  if (notice.kind === 'limited') {
    const words =
      'the client sends more tools than the model’s server takes: those farthest from the conversation are left out; better let Claude Code search for its tools (docs/TOOLS.md)';
    logger.warn(words, { left_out: notice.leftOut, model, session });
    return;
  }
  const words =
    'Claude Code has given up its search for tools after a refusal, and sends all of them with each request from now on; /compact or /clear brings it back (docs/TOOLS.md)';
  logger.warn(words, { refusal: notice.reason, model, session });
}

/** The error as the client's user reads it: a refused key comes with the command that helps, which log and health need not repeat. */
function withRemedy(error: ApiError, { instance, manager, provider }: Config): ApiError {
  const { code, status, message, anthropicCode, body } = error;
  const isRefused = code === 'upstream_unauthenticated' && provider.key.source !== 'client';
  if (body !== undefined || !(isRefused || code === 'missing_provider_key')) return error;
  const details = { status, ...(anthropicCode === undefined ? {} : { anthropicCode }) };
  return new ApiError(code, `${message} (${manager} key ${instance})`, details);
}

/** Writes into the log line what the provider has counted of an answer that is handed on. */
export function recordUsage(record: RequestRecord, usage: Usage, isEnded: boolean): void {
  record.inputTokens = usage.input;
  record.cacheReadTokens = usage.cacheRead;
  record.cacheWriteTokens = usage.cacheWrite;
  record.outputTokens = usage.output;
  record.reasoningTokens = usage.reasoning;
  // What the provider had counted so far is less than what it will bill.
  if (!isEnded) record.usageEstimated = true;
}

const COUNTED = [
  'inputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'outputTokens',
  'reasoningTokens',
  'attempts',
] as const satisfies readonly (keyof RequestRecord)[];

/** Writes into the log line one of several answers of a model that make one answer to the client: counts add up, the rest is of the last. */
export function recordRound(record: RequestRecord, round: RequestRecord): void {
  const before = { ...record };
  Object.assign(record, round);
  for (const name of COUNTED) {
    if (before[name] !== undefined || round[name] !== undefined)
      record[name] = (before[name] ?? 0) + (round[name] ?? 0);
  }
  record.firstEventMs = before.firstEventMs ?? round.firstEventMs;
  if (before.usageEstimated === true) record.usageEstimated = true;
  const notes = new Set([...(before.notes ?? []), ...(round.notes ?? [])]);
  record.notes = notes.size === 0 ? undefined : [...notes];
}
