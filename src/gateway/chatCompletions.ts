import { ApiError } from '../core/errors.ts';
import { isObject } from '../core/json.ts';
import { errorHeaders } from '../protocol/anthropic/errorBody.ts';
import { chatErrorBody, chatErrorEvent } from '../protocol/openai/errorEnvelope.ts';
import { Attempts } from './attempts.ts';
import type { ClientPort } from './clientPort.ts';
import { EventStream } from './eventStream.ts';
import { createFailureContext } from './failureContext.ts';
import { resolveTarget } from './prepare.ts';
import { readBody } from './readBody.ts';
import { RelayReader } from './relayReader.ts';
import { authorizationFor, type Run, recordError, runAttempts, runRequest } from './run.ts';
import type { IncomingRequest, Services } from './services.ts';

function parseChat(body: Buffer): Record<string, unknown> & { model: string } {
  const request = readBody(body);
  if (!isObject(request) || typeof request['model'] !== 'string' || request['model'] === '') {
    throw new ApiError('invalid_request', 'model: a chat completions request needs the name of a model');
  }
  if (!Array.isArray(request['messages'])) {
    throw new ApiError('invalid_request', 'messages: a chat completions request needs a list of messages');
  }
  return { ...request, model: request['model'] };
}

function recordUsage({ record }: Run, reader: RelayReader): void {
  record.upstreamModel = reader.upstreamModel ?? record.upstreamModel;
  if (reader.usage === undefined) return;
  record.inputTokens = reader.usage.input;
  record.cacheReadTokens = reader.usage.cacheRead;
  record.cacheCreationTokens = reader.usage.cacheCreation;
  record.outputTokens = reader.usage.output;
}

async function answer(run: Run): Promise<void> {
  const { services, incoming, port, record } = run;
  const request = parseChat(incoming.body);
  const { tier, target } = resolveTarget(services, request.model);
  record.model = request.model;
  record.tier = tier;
  record.upstreamModel = target.model;
  record.stream = request['stream'] === true;
  const { pingMs, headerWaitMs, idleTimeoutMs, usageWaitMs } = target.settings;
  const body = JSON.stringify({ ...request, model: target.model });
  const authorization = authorizationFor(run);

  let whole = '';
  const attempts = new Attempts({
    services,
    authorization,
    createAttempt: () => ({
      model: target.model,
      body,
      stream: record.stream,
      reader: new RelayReader(),
      idleTimeoutMs,
      usageWaitMs,
    }),
    heal: () => false,
    failureContext: () => createFailureContext(services, target, 0),
    mayRepeatEmpty: false,
    onOutput: (output, last) => {
      record.firstEventMs ??= run.elapsed();
      if (attempts.reader.isWhole) whole += output;
      else if (last) stream.end(output);
      else stream.write(output);
      if (stream.blocked) attempts.pause();
    },
  });
  const stream = new EventStream(port, { ping: undefined, errorText: chatErrorEvent, pingMs, headerWaitMs }, () =>
    attempts.resume(),
  );
  try {
    const result = await runAttempts(run, attempts);
    if (result.kind === 'done' && attempts.reader.isWhole) port.sendJson(200, {}, whole);
    if (result.kind !== 'failed') return;
    if (!stream.open) throw result.error;
    stream.fail(result.error);
    recordError(run, result.error, 'interrupted');
  } finally {
    stream.close();
    recordUsage(run, attempts.reader);
  }
}

/**
 * Answers `POST /v1/chat/completions`: a client of OpenAI's API through the same instance. The model is mapped, key and headers
 * are the instance's; everything else of the request, and every byte of the answer, is handed on as it is.
 */
export function answerChatCompletions(services: Services, incoming: IncomingRequest, port: ClientPort): Promise<void> {
  return runRequest(services, incoming, port, answer, (error) =>
    port.sendJson(error.status, errorHeaders(error), chatErrorBody(error)),
  );
}
