import { createHash } from 'node:crypto';
import type { ProviderConfig } from '../config/config.ts';
import { asApiError } from '../core/asApiError.ts';
import { ApiError } from '../core/errors.ts';
import { requestCost } from '../telemetry/cost.ts';
import { localDay } from '../telemetry/localDay.ts';
import type { RequestRecord } from '../telemetry/requestRecord.ts';
import type { AnswerReader } from '../upstream/answerReader.ts';
import type { ExchangeResult } from '../upstream/exchange.ts';
import type { Attempts } from './attempts.ts';
import type { ClientPort } from './clientPort.ts';
import type { Route } from './route.ts';
import type { IncomingRequest, Services } from './services.ts';

/** One request on its way through the gateway. */
export interface Run {
  readonly services: Services;
  readonly incoming: IncomingRequest;
  readonly port: ClientPort;
  /** What will be logged; filled in on the way. */
  readonly record: RequestRecord;
  /** Milliseconds since the request came in. */
  readonly elapsed: () => number;
}

/** The value of the header that carries the key to the provider: the instance's own key, else the client's (R152, design decision 14). */
export function authorizationFor(
  { services, incoming }: Pick<Run, 'services' | 'incoming'>,
  { key, keyHeader }: ProviderConfig,
): string | undefined {
  const scheme = keyHeader === 'authorization' ? 'Bearer ' : '';
  if (key.secret !== undefined) return scheme + key.secret.reveal();
  if (key.source !== 'client') return undefined;
  if (incoming.providerKey !== undefined) return scheme + incoming.providerKey;
  throw new ApiError(
    'missing_provider_key',
    `[${services.config.instance}] no key for the provider: put ${key.variable} into the env file, or send yours as ANTHROPIC_AUTH_TOKEN`,
  );
}

/** Runs the attempts while the client is there and the instance is not told to stop. Never rejects. */
export async function runAttempts<R extends AnswerReader>(run: Run, attempts: Attempts<R>): Promise<ExchangeResult> {
  const { inFlight } = run.services;
  run.port.onGone(() => attempts.abort());
  inFlight.add(attempts);
  try {
    const result = await attempts.run();
    if (result.kind === 'aborted') run.record.outcome = 'client_closed';
    return result;
  } catch (thrown) {
    // With a rejection instead, nobody would end an event stream that has begun.
    return { kind: 'failed', error: asApiError(thrown) };
  } finally {
    inFlight.remove(attempts);
    run.record.attempts = attempts.count;
    run.record.upstreamRequestId = attempts.upstreamRequestId;
  }
}

/** Writes into the log line where the request goes. */
export function recordRoute(
  { record }: Run,
  requestedModel: string,
  { name, tier, target, destination, notes }: Route,
): void {
  record.model = requestedModel;
  record.tier = tier;
  record.provider = target.provider;
  record.upstreamModel = target.model;
  record.routedModel = name;
  record.key = destination.provider.key.source;
  if (notes.length > 0) record.notes = notes;
}

/** Writes into the log line how the request failed; a fault of the proxy itself gets a line of its own with the reason. */
export function recordError(run: Run, error: ApiError, outcome: RequestRecord['outcome']): void {
  const { record, services, incoming } = run;
  record.status = outcome === 'interrupted' ? 200 : error.status;
  record.outcome = outcome;
  record.errorType = error.type;
  record.errorMessage = error.message;
  if (error.cause instanceof Error) {
    services.logger.error('request failed inside the proxy', { id: incoming.id, reason: String(error.cause.stack) });
  }
}

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
    session: incoming.session && createHash('sha256').update(incoming.session).digest('hex').slice(0, 16),
    agent: incoming.agent,
    clientVersion: incoming.userAgent,
    requestBytes: incoming.body.length,
  };
}

/**
 * Runs one request from its arrival to its line in the log. What `answer` throws is answered by `sendError`; a fault of the
 * proxy itself is logged and becomes a 500. Never rejects.
 */
export async function runRequest(
  services: Services,
  incoming: IncomingRequest,
  port: ClientPort,
  answer: (run: Run) => Promise<void>,
  sendError: (error: ApiError) => void,
): Promise<void> {
  const { clock, config, logger, stats, usage } = services;
  const startedAt = clock.monotonic();
  const elapsed = () => Math.round(clock.monotonic() - startedAt);
  const record = createRecord(services, incoming);
  const run = { services, incoming, port, record, elapsed };
  stats.start();
  try {
    await answer(run);
  } catch (thrown) {
    const error = asApiError(thrown);
    recordError(run, error, record.attempts === undefined ? 'rejected' : 'error');
    sendError(error);
  }
  record.durationMs = elapsed();
  record.cost = requestCost(record, config, localDay(clock.now()));
  stats.finish(record);
  usage.finish(record);
  logger.request(record);
}
