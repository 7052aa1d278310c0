import type { ProviderKey } from '../../config/config.ts';
import { ApiError } from '../../core/errors.ts';
import { hasResult } from '../../translate/request/messages.ts';
import { type TranslatedRequest, translateRequest } from '../../translate/request/request.ts';
import { Translator } from '../../translate/response/translator.ts';
import { refuseSilentTruncation } from '../../translate/tokenCalibration.ts';
import type { TokenParts } from '../../translate/tokens.ts';
import { type FailureContext, failureOfBody } from '../../upstream/errors.ts';
import type { UpstreamAttempt } from '../../upstream/exchange.ts';
import { type RequestBody, runCooperatively } from '../requestBody.ts';
import { createId, type RequestContext, recordKey, recordRoute } from '../requestContext.ts';
import type { Plan, Route } from '../route.ts';
import type { Services } from '../services.ts';
import { type Adapter, authorizationFor, createFailureContext, learnTokenCount } from './adapter.ts';
import { adaptationFor } from './requestAdaptation.ts';

/** A request that is understood and translated for one model, ready to be sent. */
export interface PreparedRequest {
  readonly translated: TranslatedRequest;
  /** The input as it was measured, before the model's factors, to learn these from. */
  readonly measured: Readonly<TokenParts>;
  readonly inputEstimate: number;
}

/** Translates the client's request for the provider; throws ApiError for what cannot be served. */
export function prepareRequest(services: Services, body: RequestBody, { model }: Route): PreparedRequest {
  const request = body.parsed;
  const { measured } = body;
  const inputEstimate = services.calibration.estimate(model.name, measured);
  return { translated: translateRequest(request, model, inputEstimate, body.cache), measured, inputEstimate };
}

/** A body up to this size is printed at once, as that takes no longer than a pause. */
const SHORT_BYTES = 64 * 1024;

/** An answer that the output limit has ended before it could say anything. */
const WORDLESS = JSON.stringify({
  choices: [{ index: 0, message: { role: 'assistant', content: '' }, finish_reason: 'length' }],
});

/** Answers a Messages request from a provider that speaks chat completions: translates there and back. */
export class ChatAdapter implements Adapter {
  readonly mayRepeatEmpty: boolean;
  readonly isWhole: boolean;
  /** With the model as it was last adapted to the provider. */
  route: Route;
  readonly #context: RequestContext;
  readonly #body: RequestBody;
  #prepared: PreparedRequest;
  #key: ProviderKey;
  #hasRepeatedCall = false;
  /** Of each attempt, as the tokens of all were paid for. */
  readonly #readers: Translator[] = [];

  /** @throws ApiError for what cannot be translated */
  constructor(context: RequestContext, plan: Plan, body: RequestBody, route: Route) {
    this.#context = context;
    this.#body = body;
    this.route = route;
    this.#key = route.backend.provider.key;
    recordRoute(context, route);
    this.#prepared = prepareRequest(context.services, body, route);
    refuseSilentTruncation(this.#prepared.inputEstimate, route.model.settings);
    // An empty answer to a tool's result is a valid answer.
    const last = body.parsed.messages.at(-1);
    this.mayRepeatEmpty = last === undefined || !hasResult(last);
    this.isWhole = !context.record.stream;
    const { droppedFields, notes } = this.#prepared.translated;
    context.record.droppedFields = droppedFields.length;
    context.record.notes = [...plan.notes, ...notes];
  }

  prepare(): Promise<void> | undefined {
    if (this.#body.bytes.length <= SHORT_BYTES) return undefined;
    return runCooperatively(this.#context.services.bodies.prepare(this.#prepared.translated.body));
  }

  createAttempt(key: ProviderKey): UpstreamAttempt {
    this.#key = key;
    recordKey(this.#context, this.route, key);
    const { services, incoming } = this.#context;
    const { model, backend } = this.route;
    const { body } = this.#prepared.translated;
    const { idleTimeoutMs, usageWaitMs } = model.settings;
    const request = {
      model: model.name,
      body: services.bodies.write(body),
      stream: body['stream'] === true,
      authorization: authorizationFor(services, incoming, backend.provider, key),
    };
    const reader = this.#createTranslator();
    this.#readers.push(reader);
    return { request, reader, idleTimeoutMs, usageWaitMs };
  }

  failureContext(): FailureContext {
    const { services, incoming } = this.#context;
    const { inputEstimate, translated } = this.#prepared;
    const context = createFailureContext(services, this.route, this.#key, inputEstimate, incoming);
    return { ...context, maxTokens: translated.maxTokens };
  }

  /**
   * Drops or renames what the provider refused, and remembers that for the model. A tool call that the model wrote badly is asked
   * for once more as it is.
   */
  adaptRequest(error: ApiError): boolean {
    if (error.code === 'broken_tool_call' && !this.#hasRepeatedCall) {
      this.#hasRepeatedCall = true;
      return true;
    }
    const { services } = this.#context;
    const { route } = this;
    const adaptation = adaptationFor(error, this.#prepared.translated.body, route.model.settings);
    if (adaptation === undefined) return false;
    const model = services.models.learn(route.ref, adaptation.settings);
    services.logger.warn(
      `the provider refused a part of the request, which is changed from now on; to keep it so, set ${adaptation.advice}`,
      { model: model.name, refusal: error.message },
    );
    const adapted = { ...route, model };
    this.#prepared = prepareRequest(services, this.#body, adapted);
    this.route = adapted;
    return true;
  }

  /** A model that thinks has used up the output before its first word: what is an error there is an answer without words here. */
  answerInstead(error: ApiError): string | undefined {
    if (error.code !== 'output_exhausted') return undefined;
    const reader = this.#createTranslator();
    this.#readers.push(reader);
    return reader.pushJson(WORDLESS) + reader.end();
  }

  bodyOf(): string {
    return JSON.stringify(this.#readers.at(-1)?.message());
  }

  /** Learns from the provider's own count, too. */
  record(): void {
    const { record } = this.#context;
    const reader = this.#readers.at(-1);
    if (reader === undefined) return;
    // An answer that nobody waits for any more still cost the tokens so far.
    if (record.outcome === 'client_closed') reader.fail(new ApiError('overloaded', 'the client has gone'));
    const { outcome } = reader;
    record.upstreamRequestId ??= outcome.upstreamId;
    record.upstreamModel = outcome.upstreamModel ?? record.upstreamModel;
    if (!outcome.started) return;
    const { usage } = outcome;
    record.inputTokens = usage.input_tokens;
    record.cacheReadTokens = usage.cache_read_input_tokens;
    record.cacheWriteTokens = usage.cache_creation_input_tokens;
    record.outputTokens = usage.output_tokens;
    for (const { outcome: earlier } of this.#readers.slice(0, -1)) {
      if (earlier.usageEstimated) continue;
      record.inputTokens += earlier.usage.input_tokens;
      record.cacheReadTokens += earlier.usage.cache_read_input_tokens;
      record.cacheWriteTokens += earlier.usage.cache_creation_input_tokens;
      record.outputTokens += earlier.usage.output_tokens;
    }
    record.reasoningTokens = outcome.reasoningTokens;
    record.usageEstimated = outcome.usageEstimated;
    record.stopReason = outcome.stopReason;
    if (outcome.notes.length > 0) record.notes = [...(record.notes ?? []), ...outcome.notes];
    if (outcome.ended && !outcome.usageEstimated) {
      const promptTokens = usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens;
      learnTokenCount(this.#context, this.route, this.#prepared.measured, promptTokens);
    }
  }

  #createTranslator(): Translator {
    const { translated, inputEstimate } = this.#prepared;
    const { model } = this.route;
    return new Translator(
      {
        messageId: createId('msg_'),
        requestedModel: this.#body.parsed.model,
        provider: model.provider,
        inputEstimate,
        settings: model.settings,
        toolNames: translated.toolNames,
        offeredTools: translated.offeredTools,
        stopSequences: translated.stopSequences,
        ...(translated.maxTokens === undefined ? {} : { maxTokens: translated.maxTokens }),
        ...(translated.safeguardResults === undefined ? {} : { safeguardResults: translated.safeguardResults }),
        createToolId: () => createId('toolu_'),
        deltaRepair: model.repairs.createDeltaRepair?.(),
        toApiError: (body) => failureOfBody(body, body.status, this.failureContext()),
      },
      this.isWhole ? 'message' : 'events',
    );
  }
}
