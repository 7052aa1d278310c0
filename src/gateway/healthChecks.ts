import type { NamedProvider, ProviderKey } from '../config/config.ts';
import { localDay } from '../core/clock.ts';
import { type ApiError, asApiError } from '../core/errors.ts';
import { asString, isObject, parseObject } from '../core/json.ts';
import { readAnthropicUsage } from '../protocol/anthropic/message.ts';
import type { Usage } from '../protocol/delta.ts';
import { readUsage } from '../protocol/openai/tokenUsage.ts';
import { SseReader } from '../protocol/sse.ts';
import type { RequestRecord } from '../telemetry/requestRecord.ts';
import { requestCost } from '../telemetry/usage/cost.ts';
import { HEALTH_CHECK } from '../telemetry/usage/totals.ts';
import { translateRequest } from '../translate/request/request.ts';
import { mergeUsage } from '../translate/response/finish.ts';
import type { ExchangeResult } from '../upstream/exchange.ts';
import { type AnswerReader, openOutcome, type UpstreamRequest } from '../upstream/upstream.ts';
import { askProvider, authorizationFor } from './adapters/adapter.ts';
import { passthroughBody, passthroughHeaders } from './adapters/messagesAdapter.ts';
import type { ActiveServices } from './configSwap.ts';
import { reportOutcome } from './fallback/outcome.ts';
import { listOf, RequestBody } from './requestBody.ts';
import { createId, recordKey, recordRoute, recordUsage } from './requestContext.ts';
import { endpointOf, isNative, type Route, routeTo } from './route.ts';
import type { Services } from './services.ts';

/** Reads the answer to a health check: that there is one, whatever it says, and what the provider counts for it. */
export class HealthCheckReader implements AnswerReader {
  readonly outcome = openOutcome();
  usage: Usage | undefined;
  upstreamModel: string | undefined;
  readonly #readUsage: (usage: unknown) => Usage | undefined;
  readonly #sse = new SseReader((data) => this.#look(data));

  /** @param readUsage of the provider's protocol */
  constructor(readUsage: (usage: unknown) => Usage | undefined) {
    this.#readUsage = readUsage;
  }

  /** A stream, though none was asked for: the answer is there, and its usage may follow. */
  pushBytes(bytes: Uint8Array): string {
    this.outcome.finished = true;
    this.#sse.push(bytes);
    return '';
  }

  pushJson(text: string): string {
    this.#look(text);
    return this.end();
  }

  end(): string {
    this.outcome.ended = true;
    return '';
  }

  settle(): string {
    return this.end();
  }

  fail(error: ApiError): string {
    if (this.outcome.finished) return this.end();
    this.outcome.error = error;
    return '';
  }

  #look(data: string): void {
    if (!data.includes('"usage"')) return; // lists of models are long
    const body = parseObject(data);
    for (const part of [body, body?.['message'], body?.['response'], listOf(body, 'choices')[0]]) {
      if (!isObject(part)) continue;
      this.upstreamModel = asString(part['model']) ?? this.upstreamModel;
      const next = this.#readUsage(part['usage']);
      if (next !== undefined) this.usage = mergeUsage(this.usage, next);
    }
  }
}

/**
 * Counts what the answer to a health check has cost, as for a request. The request itself is in no count, rate or latency, nor in
 * the request log, as no client has made it.
 * @param askedAt by the monotonic clock, in ms
 */
export function recordHealthCheckUsage(
  { config, clock, stats, usage }: Services,
  route: Route,
  key: ProviderKey,
  reader: HealthCheckReader,
  askedAt: number,
): void {
  const record: RequestRecord = {
    id: createId('req_'),
    endpoint: HEALTH_CHECK,
    provider: route.provider,
    stream: false,
    status: 200,
    outcome: 'ok',
    durationMs: Math.round(clock.monotonic() - askedAt),
    attempts: 1,
  };
  recordRoute({ record }, route);
  recordKey({ record }, route, key);
  record.upstreamModel = reader.upstreamModel ?? record.upstreamModel;
  if (reader.usage !== undefined) recordUsage(record, reader.usage, true);
  record.cost = requestCost(record, config, localDay(clock.now()), clock.now());
  stats.addTokens(record);
  usage.finish(record);
}

/** A provider that has not answered a small question by then is taken for one that cannot, in ms. */
const CHECK_TIMEOUT_MS = 30_000;
/** Nobody lends a key or sends headers for a check. */
const NOBODY = { forwarded: { query: '', headers: {}, credentials: {}, providerKey: undefined } };

/** A question for the list of models, which costs nothing, or a request for one token. */
function questionFor(services: Services, route: Route, key: ProviderKey): UpstreamRequest {
  const { model, backend } = route;
  const { provider } = backend;
  const native = isNative(route);
  const question = {
    model: model.name,
    stream: false,
    authorization: authorizationFor(services, NOBODY, provider, key),
    headers: native ? passthroughHeaders(NOBODY, model.settings) : {},
  };
  if (services.config.healthCheck.ask === 'models') {
    return { ...question, body: '', lookUp: `${provider.baseUrl}${native ? '/v1/models' : '/models'}` };
  }
  const value = { model: model.name, max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] };
  const body = new RequestBody(Buffer.from(JSON.stringify(value)), value, services.bodies.cache);
  if (native) return { ...question, body: passthroughBody(body, model, services.bodies) };
  return {
    ...question,
    endpoint: endpointOf(route),
    body: JSON.stringify(translateRequest(body.parsed, model).body),
  };
}

/**
 * What the answer to a question for the list of models says of the provider. One that has no list, or does not let this key see it,
 * is there all the same; and a list says nothing about a key whose balance or limit is used up.
 */
function interpretListAnswer(result: ExchangeResult, isReached: boolean): ExchangeResult {
  const isHidden =
    result.kind === 'failed' && ['bad_gateway', 'unknown_endpoint', 'upstream_forbidden'].includes(result.error.code);
  return result.kind === 'done' || (isReached && isHidden) ? { kind: 'empty' } : result;
}

/**
 * Asks a provider whether it can answer, and reports that to its breaker and its key pool. Does nothing where no key of the instance's
 * own can be sent, while a trial is under way, or where all slots are taken.
 */
export async function runHealthCheck(services: Services, { name, models, provider }: NamedProvider): Promise<void> {
  const model = models.small[0] ?? models.big[0];
  if (model === undefined || provider.key.source === 'client' || provider.preset.protocol === 'demo') return;
  const route = routeTo(services, services.config.modelRefs.of(model));
  const { backend } = route;
  const key = backend.keys.choose(() => '');
  const request = questionFor(services, route, key);
  // Nobody waits in the queue for a check.
  const slot = backend.limiter.acquire();
  const permit = slot?.isActive === true ? backend.breaker.acquireCheck() : undefined;
  if (permit !== undefined) {
    const askedAt = services.clock.monotonic();
    const reader = new HealthCheckReader(isNative(route) ? readAnthropicUsage : readUsage);
    const { result, isReached } = await askProvider(services, route, key, {
      request,
      reader,
      timeoutMs: CHECK_TIMEOUT_MS,
      purpose: 'a health check',
      incoming: NOBODY,
    });
    const isList = request.lookUp !== undefined;
    if (!isList && result.kind === 'done') recordHealthCheckUsage(services, route, key, reader, askedAt);
    const outcome = isList ? interpretListAnswer(result, isReached) : result;
    reportOutcome(services, { backend, provider: name, key, permit, askedAt }, outcome, isReached);
    services.logger.debug('a provider was asked whether it can answer', {
      provider: name,
      answer: outcome.kind === 'failed' ? outcome.error.message : 'yes',
    });
  }
  slot?.release();
}

/** Share by which a pause is shorter or longer at random, so that many instances do not ask together. */
const JITTER = 0.2;
/** Where nothing is checked: how often is looked whether a new configuration wants it, in ms. */
const IDLE_MS = 60_000;

/**
 * The providers that have not shown within the interval that they answer; where there is no other to turn to, only one whose circuit
 * keeps requests away.
 */
export function dueProviders({ config, backends, clock }: Services): readonly NamedProvider[] {
  const { providers, healthCheck } = config;
  if (healthCheck.intervalMs === 0) return [];
  return providers.filter(({ provider }) => {
    const { answeredAt, state } = backends.of(provider).breaker;
    if (state !== 'closed' || providers.length < 2) return state !== 'closed';
    return answeredAt === undefined || clock.monotonic() - answeredAt >= healthCheck.intervalMs;
  });
}

async function checkAll(active: Pick<ActiveServices, 'current' | 'lease'>): Promise<void> {
  const services = active.current;
  const release = active.lease(services);
  try {
    await Promise.all(dueProviders(services).map((provider) => runHealthCheck(services, provider)));
  } catch (thrown) {
    services.logger.error('a health check failed inside the proxy', { reason: String(asApiError(thrown).cause) });
  } finally {
    release();
  }
}

/**
 * Asks providers that nobody asks whether they can answer, again and again, until the returned function is called.
 * @param random a number from 0 to below 1
 */
export function startHealthChecks(active: Pick<ActiveServices, 'current' | 'lease'>, random: () => number): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const schedule = () => {
    const { intervalMs } = active.current.config.healthCheck;
    const factor = 1 - JITTER + 2 * JITTER * random();
    timer = setTimeout(run, (intervalMs === 0 ? IDLE_MS : intervalMs) * factor).unref();
  };
  const run = async () => {
    await checkAll(active);
    if (!isStopped) schedule();
  };
  schedule();
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}
