import { ApiError } from '../core/errors.ts';
import { errorBody, errorEvent, errorHeaders, PING_EVENT } from '../protocol/anthropic/errorBody.ts';
import { parseRequest } from '../protocol/anthropic/parseRequest.ts';
import { isWebSearchRequest } from '../translate/serverTools.ts';
import type { Translator } from '../translate/stream/translator.ts';
import { Attempts } from './attempts.ts';
import type { ClientPort } from './clientPort.ts';
import { Conversation } from './conversation.ts';
import { EventStream } from './eventStream.ts';
import { answerPassthrough } from './passthrough.ts';
import { type Prepared, prepare } from './prepare.ts';
import { readBody } from './readBody.ts';
import { findRoute, isNative } from './route.ts';
import { authorizationFor, type Run, recordError, recordRoute, runAttempts, runRequest } from './run.ts';
import type { IncomingRequest, Services } from './services.ts';
import { answerWebSearch } from './webSearchAnswer.ts';

/** Writes into the log line what the answer has come to, and learns from the provider's own count (R502). */
function recordOutcome(
  { record, services }: Run,
  prepared: Prepared,
  { reader, replaced }: Attempts<Translator>,
): void {
  // An answer that nobody waits for any more still cost the tokens so far (R320).
  if (record.outcome === 'client_closed') reader.fail(new ApiError('overloaded', 'the client has gone'));
  const { outcome } = reader;
  record.upstreamRequestId ??= outcome.upstreamId;
  record.upstreamModel = outcome.upstreamModel ?? record.upstreamModel;
  if (!outcome.started) return;
  const { usage } = outcome;
  record.inputTokens = usage.input_tokens;
  record.cacheReadTokens = usage.cache_read_input_tokens;
  record.cacheCreationTokens = usage.cache_creation_input_tokens;
  record.outputTokens = usage.output_tokens;
  for (const { outcome: earlier } of replaced) {
    if (earlier.usageEstimated) continue;
    record.inputTokens += earlier.usage.input_tokens;
    record.cacheReadTokens += earlier.usage.cache_read_input_tokens;
    record.cacheCreationTokens += earlier.usage.cache_creation_input_tokens;
    record.outputTokens += earlier.usage.output_tokens;
  }
  record.reasoningTokens = outcome.reasoningTokens;
  record.usageEstimated = outcome.usageEstimated;
  record.stopReason = outcome.stopReason;
  if (outcome.notes.length > 0) record.notes = [...(record.notes ?? []), ...outcome.notes];
  if (outcome.ended && !outcome.usageEstimated) {
    const promptTokens = usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens;
    services.calibration.observe(prepared.route.target.model, prepared.measured, promptTokens);
  }
}

async function answerStream(run: Run, conversation: Conversation): Promise<void> {
  const { route, afterToolResult } = conversation.prepared;
  const { pingMs, headerWaitMs } = route.target.settings;
  const { destination } = route;
  const authorization = authorizationFor(run, destination.provider);
  const attempts = new Attempts({
    services: run.services,
    destination,
    authorization,
    createAttempt: conversation.createAttempt,
    heal: conversation.heal,
    failureContext: conversation.failureContext,
    mayRepeatEmpty: !afterToolResult,
    onOutput: (text, last) => {
      run.record.firstEventMs ??= run.elapsed();
      if (last) stream.end(text);
      else stream.write(text);
      if (stream.blocked) attempts.pause();
    },
  });
  const stream = new EventStream(run.port, { ping: PING_EVENT, errorText: errorEvent, pingMs, headerWaitMs }, () =>
    attempts.resume(),
  );
  try {
    const result = await runAttempts(run, attempts);
    if (result.kind !== 'failed') return;
    if (!stream.open) throw result.error;
    stream.fail(result.error);
    recordError(run, result.error, 'interrupted');
  } finally {
    stream.close();
    recordOutcome(run, conversation.prepared, attempts);
  }
}

async function answerWhole(run: Run, conversation: Conversation): Promise<void> {
  const { route, afterToolResult } = conversation.prepared;
  const attempts = new Attempts({
    services: run.services,
    destination: route.destination,
    authorization: authorizationFor(run, route.destination.provider),
    createAttempt: conversation.createAttempt,
    heal: conversation.heal,
    failureContext: conversation.failureContext,
    mayRepeatEmpty: !afterToolResult,
    onOutput: () => {},
  });
  try {
    const result = await runAttempts(run, attempts);
    if (result.kind === 'failed') throw result.error;
    if (result.kind === 'aborted') return;
    run.record.firstEventMs = run.elapsed();
    run.port.sendJson(200, {}, JSON.stringify(attempts.reader.message()));
  } finally {
    recordOutcome(run, conversation.prepared, attempts);
  }
}

async function answer(run: Run): Promise<void> {
  const { services, incoming, port, record } = run;
  const body = readBody(incoming.body);
  if (isNative(services, body)) return answerPassthrough(run, body);
  const request = parseRequest(body);
  const route = findRoute(services, request.model);
  recordRoute(run, request.model, route);
  record.stream = request['stream'] === true;
  if (route.target.settings.webSearch !== 'native' && isWebSearchRequest(request)) {
    record.notes = [...route.notes, 'web search refused'];
    answerWebSearch(port, request);
    return;
  }
  const prepared = prepare(services, request, route);
  record.droppedFields = prepared.translated.droppedFields.length;
  record.notes = [...route.notes, ...prepared.translated.notes];
  const conversation = new Conversation(run, prepared, prepared.stream ? 'events' : 'message');
  await (prepared.stream ? answerStream(run, conversation) : answerWhole(run, conversation));
}

/** Answers `POST /v1/messages`; resolves when the answer is complete or the client is gone, and never rejects. */
export function answerMessages(services: Services, incoming: IncomingRequest, port: ClientPort): Promise<void> {
  return runRequest(services, incoming, port, answer, (error) =>
    port.sendJson(error.status, errorHeaders(error), errorBody(error, incoming.id)),
  );
}
