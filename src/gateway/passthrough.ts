import { errorEvent, PING_EVENT } from '../protocol/anthropic/errorBody.ts';
import { createToolInputRepair } from '../quirks/native/unwrapToolInput.ts';
import { type FailureContext, failureOfBody } from '../upstream/failure.ts';
import { createFailureContext } from './failureContext.ts';
import { PassthroughReader } from './passthroughReader.ts';
import {
  measureNative,
  type PassthroughRequest,
  passthroughCredentials,
  passthroughHeaders,
  preparePassthrough,
} from './passthroughRequest.ts';
import { relayAnswer } from './relay.ts';
import { type Run, recordRoute } from './run.ts';
import { ToolInputFrames } from './toolInputFrames.ts';

/** Writes into the log line what the answer has come to, and learns from the provider's own count (R502). */
function recordAnswer({ record, services }: Run, prepared: PassthroughRequest, reader: PassthroughReader): void {
  record.upstreamModel = reader.upstreamModel ?? record.upstreamModel;
  record.stopReason = reader.stopReason;
  const { usage } = reader;
  if (usage === undefined) return;
  record.inputTokens = usage.input;
  record.cacheReadTokens = usage.cacheRead;
  record.cacheCreationTokens = usage.cacheCreation;
  record.outputTokens = usage.output;
  // What the provider had counted so far is less than what it will bill.
  if (!reader.outcome.ended) record.usageEstimated = true;
  const measured = reader.outcome.ended ? measureNative(prepared.request) : undefined;
  if (measured === undefined) return;
  const promptTokens = usage.input + usage.cacheRead + usage.cacheCreation;
  services.calibration.observe(prepared.route.target.model, measured, promptTokens);
}

function failureContextOf({ services, incoming }: Run, { request, route }: PassthroughRequest): FailureContext {
  const measured = measureNative(request);
  const estimate = measured === undefined ? 0 : services.calibration.estimate(route.target.model, measured);
  return createFailureContext(services, route, estimate, incoming);
}

/**
 * Answers from a provider that speaks the Messages API itself: the request goes there as the client wrote it, but for the model,
 * and the answer comes back as the provider wrote it. Only a provider's named repairs change more.
 * @param value the body, parsed
 */
export async function answerPassthrough(run: Run, value: unknown): Promise<void> {
  const { services, incoming, record } = run;
  const prepared = preparePassthrough(services, incoming.body, value);
  const { request, route, body } = prepared;
  recordRoute(run, request.model, route);
  record.stream = request['stream'] === true;

  const { settings, model } = route.target;
  const { idleTimeoutMs, usageWaitMs } = settings;
  const { authorization, headers } = passthroughCredentials(services, incoming, route.destination.provider);
  const failureContext = () => failureContextOf(run, prepared);
  const createReader = () =>
    new PassthroughReader(
      (errorBody) => failureOfBody(errorBody, errorBody.status, failureContext()),
      settings.unwrapToolInput ? new ToolInputFrames(createToolInputRepair(request['tools'])) : undefined,
    );
  await relayAnswer(run, {
    route,
    authorization,
    createAttempt: () => ({
      model,
      body,
      stream: record.stream,
      suffix: incoming.forwarded.query,
      headers: { ...passthroughHeaders(incoming, settings), ...headers },
      reader: createReader(),
      idleTimeoutMs,
      usageWaitMs,
    }),
    failureContext,
    ping: record.stream ? PING_EVENT : undefined,
    errorText: errorEvent,
    record: (reader) => recordAnswer(run, prepared, reader),
  });
}
