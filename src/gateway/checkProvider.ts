import type { NamedProvider, ProviderKey } from '../config/config.ts';
import { ApiError } from '../core/errors.ts';
import { readAnthropicUsage } from '../protocol/anthropic/message.ts';
import { readUsage } from '../protocol/openai/usage.ts';
import { Exchange, type ExchangeResult } from '../upstream/exchange.ts';
import type { UpstreamRequest } from '../upstream/upstream.ts';
import { authorizationFor } from './authorization.ts';
import { CheckReader } from './checkReader.ts';
import { countCheck } from './countCheck.ts';
import { createFailureContext } from './failureContext.ts';
import { passthroughBody, passthroughHeaders } from './passthroughRequest.ts';
import { prepare } from './prepare.ts';
import { RequestBody } from './requestBody.ts';
import { isNative, type Route, routeTo } from './route.ts';
import type { Services } from './services.ts';
import { judge } from './verdict.ts';

/** A provider that has not answered a small question by then is taken for one that cannot, in ms. */
const CHECK_TIMEOUT_MS = 30_000;
/** Nobody lends a key or sends headers for a check. */
const NOBODY = { providerKey: undefined, forwarded: { query: '', headers: {}, credentials: {} } };

/** A question for the list of models, which costs nothing, or a request for one token. */
function questionFor(services: Services, route: Route, key: ProviderKey): UpstreamRequest {
  const { target, destination } = route;
  const { provider } = destination;
  const native = isNative(route);
  const question = {
    model: target.model,
    stream: false,
    authorization: authorizationFor(services, NOBODY, provider, key),
    headers: native ? passthroughHeaders(NOBODY, target.settings) : {},
  };
  if (services.config.healthCheck.ask === 'models') {
    return { ...question, body: '', lookUp: `${provider.baseUrl}${native ? '/v1/models' : '/models'}` };
  }
  const value = { model: target.model, max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] };
  const body = new RequestBody(Buffer.from(JSON.stringify(value)), value);
  if (native) return { ...question, body: passthroughBody(body, target, services.bodies) };
  return { ...question, body: JSON.stringify(prepare(services, body, route).translated.body) };
}

async function ask(services: Services, route: Route, request: UpstreamRequest, key: ProviderKey) {
  const reader = new CheckReader(isNative(route) ? readAnthropicUsage : readUsage);
  const exchange = new Exchange({
    upstream: route.destination.upstream,
    request,
    reader,
    idleTimeoutMs: CHECK_TIMEOUT_MS,
    requestTimeoutMs: CHECK_TIMEOUT_MS,
    patience: undefined,
    usageWaitMs: route.target.settings.usageWaitMs,
    holdEmpty: false,
    failureContext: () => createFailureContext(services, route, key, 0, NOBODY),
    onOutput: () => {},
    now: () => services.clock.monotonic(),
  });
  const late = new ApiError(
    'upstream_timeout',
    `[${route.provider}] no answer to a health check within ${CHECK_TIMEOUT_MS / 1000} s`,
  );
  const deadline = setTimeout(() => exchange.cut(late), CHECK_TIMEOUT_MS);
  deadline.unref();
  const result = await exchange.result;
  clearTimeout(deadline);
  return { result, isReached: exchange.isReached, reader };
}

/**
 * What the answer to a question for the list of models says of the provider. One that has no list, or does not let this key see it,
 * is there all the same; and a list says nothing about a key whose balance or limit is used up.
 */
function verdictOfList(result: ExchangeResult, isReached: boolean): ExchangeResult {
  const isHidden = result.kind === 'failed' && ['bad_gateway', 'upstream_forbidden'].includes(result.error.code);
  return result.kind === 'done' || (isReached && isHidden) ? { kind: 'empty' } : result;
}

/**
 * Asks a provider whether it can answer, and tells its breaker and its key. Does nothing where no key of the instance's own can be
 * sent, where the breaker lets nobody through, or where all places are taken.
 */
export async function checkProvider(services: Services, { name, models, provider }: NamedProvider): Promise<void> {
  const model = models.small[0] ?? models.big[0];
  if (model === undefined || provider.key.source === 'client' || provider.preset.protocol === 'demo') return;
  const route = routeTo(services, model);
  const { destination } = route;
  const key = destination.keys.choose(() => '');
  const request = questionFor(services, route, key);
  let isIn = false;
  const ticket = destination.gate.request(() => {
    isIn = true;
  });
  const leave = isIn ? destination.breaker.enter() : undefined;
  if (leave?.waitMs === 0) {
    const askedAt = services.clock.monotonic();
    const { result, isReached, reader } = await ask(services, route, request, key);
    const isList = request.lookUp !== undefined;
    if (!isList && result.kind === 'done') countCheck(services, route, key, reader, askedAt);
    const verdict = isList ? verdictOfList(result, isReached) : result;
    judge(services, { destination, provider: name, key, leave, askedAt }, verdict, isReached);
    services.logger.debug('a provider was asked whether it can answer', {
      provider: name,
      answer: verdict.kind === 'failed' ? verdict.error.message : 'yes',
    });
  }
  ticket?.leave();
}
