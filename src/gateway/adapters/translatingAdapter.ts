import type { ProviderKey } from '../../config/config.ts';
import { ApiError } from '../../core/errors.ts';
import { hasResult } from '../../translate/request/messages.ts';
import { encryptedReasoning, NO_REPLAY, type ReasoningReplay } from '../../translate/request/reasoningReplay.ts';
import { type TranslatedRequest, translateInSteps } from '../../translate/request/request.ts';
import { shortHash } from '../../translate/request/toolNames.ts';
import { Translator } from '../../translate/response/translator.ts';
import { refuseSilentTruncation } from '../../translate/tokenCalibration.ts';
import type { TokenParts } from '../../translate/tokens.ts';
import { type FailureContext, failureOfBody } from '../../upstream/errors.ts';
import type { UpstreamAttempt } from '../../upstream/exchange.ts';
import { type RequestBody, runCooperatively } from '../requestBody.ts';
import { createId, type RequestContext, recordKey, recordRoute } from '../requestContext.ts';
import { endpointOf, type Plan, type Route } from '../route.ts';
import type { IncomingRequest, Services } from '../services.ts';
import { type Adapter, authorizationFor, createFailureContext, learnTokenCount } from './adapter.ts';
import { adaptationFor } from './requestAdaptation.ts';

/** A request that is understood and translated for one model, ready to be sent. */
export interface PreparedRequest {
  readonly translated: TranslatedRequest;
  /** The input as it was measured, before the model's factors, to learn these from. */
  readonly measured: Readonly<TokenParts>;
  readonly inputEstimate: number;
  /** Which reasoning of the conversation may go back to the provider. */
  readonly replay: ReasoningReplay;
}

/**
 * Translates the client's request for the provider, and prints most of it, with pauses; throws ApiError for what cannot be served.
 * @param replay which reasoning of the conversation may go back
 */
export function* prepareInSteps(
  { calibration, bodies }: Services,
  body: RequestBody,
  { model }: Route,
  replay: ReasoningReplay,
): Generator<void, PreparedRequest> {
  const request = body.parsed;
  const { measured } = body;
  const inputEstimate = calibration.estimate(model.name, measured);
  const translated = yield* translateInSteps(request, model, inputEstimate, body.cache, replay);
  yield* bodies.prepare(translated.body, body.bytes);
  return { translated, measured, inputEstimate, replay };
}

/** Encrypted reasoning goes back only to the address and with the key that it came from: both make the fingerprint that it carries. */
export function replayFor(
  { models }: Services,
  { forwarded }: Pick<IncomingRequest, 'forwarded'>,
  { model, backend: { provider } }: Route,
  key: ProviderKey,
): ReasoningReplay {
  if (model.protocol !== 'responses') return NO_REPLAY;
  const known = models.fingerprints.get(key);
  const secret = key.secret?.reveal();
  const fingerprint = known ?? shortHash(`${provider.baseUrl}\n${secret ?? forwarded.providerKey ?? ''}`, 8);
  // Without a key of the instance's own each client brings another one.
  if (known === undefined && secret !== undefined) models.fingerprints.set(key, fingerprint);
  return { fingerprint, refused: models.refusedReasoning };
}

/** The words for a model, or a server, that has no encrypted reasoning at all. */
const UNSUPPORTED = /encrypted[_ ]content is not supported/i;

/** An answer that the output limit has ended before it could say anything. */
const WORDLESS = {
  chat: JSON.stringify({
    choices: [{ index: 0, message: { role: 'assistant', content: '' }, finish_reason: 'length' }],
  }),
  responses: JSON.stringify({
    object: 'response',
    status: 'incomplete',
    incomplete_details: { reason: 'max_output_tokens' },
    output: [],
  }),
};

/** Answers a Messages request from a provider that speaks one of OpenAI's APIs: translates there and back. */
export class TranslatingAdapter implements Adapter {
  readonly mayRepeatEmpty: boolean;
  readonly isWhole: boolean;
  /** With the model as it was last adapted to the provider. */
  route: Route;
  readonly #context: RequestContext;
  readonly #body: RequestBody;
  #prepared: PreparedRequest;
  #key: ProviderKey;
  #hasRepeatedCall = false;
  #hasDroppedReasoning = false;
  /** Of each attempt, as the tokens of all were paid for. */
  readonly #readers: Translator[] = [];

  /**
   * Translates the request, and resolves later only where that takes long.
   * @throws ApiError for what cannot be translated
   */
  static create(
    context: RequestContext,
    plan: Plan,
    body: RequestBody,
    route: Route,
  ): Promise<TranslatingAdapter> | TranslatingAdapter {
    const { services, incoming } = context;
    const { model, backend } = route;
    const key = model.protocol === 'responses' ? backend.keys.choose(plan.conversation) : backend.provider.key;
    recordRoute(context, route);
    const replay = replayFor(services, incoming, route, key);
    const prepared = runCooperatively(prepareInSteps(services, body, route, replay), body.bytes.length);
    return prepared instanceof Promise
      ? prepared.then((request) => new TranslatingAdapter(context, plan, body, route, key, request))
      : new TranslatingAdapter(context, plan, body, route, key, prepared);
  }

  private constructor(
    context: RequestContext,
    plan: Plan,
    body: RequestBody,
    route: Route,
    key: ProviderKey,
    prepared: PreparedRequest,
  ) {
    this.#context = context;
    this.#body = body;
    this.route = route;
    this.#key = key;
    this.#prepared = prepared;
    const { settings } = route.model;
    if (settings.silentTruncation) refuseSilentTruncation(prepared.inputEstimate, settings);
    // An empty answer to a tool's result is a valid answer.
    const last = body.parsed.messages.at(-1);
    this.mayRepeatEmpty = last === undefined || !hasResult(last);
    this.isWhole = !context.record.stream;
    const { droppedFields, notes, toolsLeftOut } = this.#prepared.translated;
    context.record.droppedFields = droppedFields.length;
    context.record.toolsLeftOut = toolsLeftOut || undefined;
    context.record.notes = [...plan.notes, ...notes];
  }

  createAttempt(key: ProviderKey): UpstreamAttempt | Promise<UpstreamAttempt> {
    const { services, incoming, record } = this.#context;
    if (key !== this.#key) {
      this.#key = key;
      const replay = replayFor(services, incoming, this.route, key);
      // What one key has made another cannot read, so that the request is not the same for both.
      if (replay.fingerprint !== this.#prepared.replay.fingerprint) {
        return this.#prepareAgain(this.route, replay).then(() => this.createAttempt(key));
      }
    }
    recordKey(this.#context, this.route, key);
    const { model, backend } = this.route;
    const { body } = this.#prepared.translated;
    const { idleTimeoutMs, usageWaitMs } = model.settings;
    const request = {
      model: model.name,
      body: services.bodies.write(body, this.#body.bytes),
      stream: body['stream'] === true,
      authorization: authorizationFor(services, incoming, backend.provider, key),
      endpoint: endpointOf(this.route),
    };
    const reasoning = encryptedReasoning(body);
    if (reasoning.length > 0) {
      record.reasoningItems = reasoning.length;
      record.reasoningBytes = reasoning.reduce((sum, { length }) => sum + length, 0);
    }
    const reader = this.#createTranslator();
    this.#readers.push(reader);
    return { request, reader, idleTimeoutMs, usageWaitMs };
  }

  failureContext(): FailureContext {
    const { services, incoming } = this.#context;
    const { inputEstimate, translated } = this.#prepared;
    const context = createFailureContext(services, this.route, this.#key, inputEstimate, incoming);
    const responses = this.route.model.protocol === 'responses';
    return { ...context, maxTokens: translated.maxTokens, responses };
  }

  async #prepareAgain(route: Route, replay = this.#prepared.replay): Promise<void> {
    const preparation = prepareInSteps(this.#context.services, this.#body, route, replay);
    this.#prepared = await runCooperatively(preparation, this.#body.bytes.length);
    this.#context.record.toolsLeftOut = this.#prepared.translated.toolsLeftOut || undefined;
    this.route = route;
  }

  /**
   * Drops or renames what the provider refused, and remembers that for the model. A tool call that the model wrote badly is asked
   * for once more as it is.
   */
  async adaptRequest(error: ApiError): Promise<boolean> {
    if (error.code === 'broken_tool_call' && !this.#hasRepeatedCall) {
      this.#hasRepeatedCall = true;
      return true;
    }
    if (error.code === 'reasoning_refused') return this.#dropReasoning(error);
    if (error.code === 'unknown_endpoint') return this.#fallBackToChat(error);
    const { services } = this.#context;
    const { route } = this;
    const adaptation = adaptationFor(error, this.#prepared.translated.body, route.model.settings);
    if (adaptation === undefined) return false;
    const model = services.models.learn(route.ref, adaptation.settings);
    services.logger.warn(
      `the provider refused a part of the request, which is changed from now on; to keep it so, set ${adaptation.advice}`,
      { model: model.name, refusal: error.message },
    );
    await this.#prepareAgain({ ...route, model });
    return true;
  }

  /** Encrypted reasoning that the provider refuses is never sent again: the conversation goes on with its calls and texts. */
  async #dropReasoning(error: ApiError): Promise<boolean> {
    const { services } = this.#context;
    const { route } = this;
    const { body } = this.#prepared.translated;
    const refused = encryptedReasoning(body);
    const isUnsupported = UNSUPPORTED.test(error.message);
    if (this.#hasDroppedReasoning || (refused.length === 0 && !(isUnsupported && 'include' in body))) return false;
    this.#hasDroppedReasoning = true;
    await runCooperatively(services.models.refusedReasoning.addInSteps(refused), this.#body.bytes.length);
    const model = isUnsupported
      ? services.models.learn(route.ref, { includeEncrypted: false, reasoningReplay: 'none' })
      : route.model;
    services.logger.warn(
      'the provider refused the encrypted reasoning of earlier answers, which is left out from now on',
      {
        model: model.name,
        items: refused.length,
        refusal: error.message,
      },
    );
    await this.#prepareAgain({ ...route, model });
    return true;
  }

  /** A model that nobody has said the API of, and that has not answered by this one yet, is asked by chat completions. */
  async #fallBackToChat(error: ApiError): Promise<boolean> {
    const { services, incoming } = this.#context;
    const { route } = this;
    const { model, ref, backend } = route;
    const isChosen = ref.provider.protocol !== undefined || !model.settings.fallbackChat;
    if (isChosen || services.models.hasAnswered(ref)) return false;
    const chat = { ...route, model: services.models.learnChat(ref) };
    services.logger.warn(
      'this server does not know the Responses API, so that the model is asked by chat completions from now on; to keep it so, set PROTOCOL=chat',
      { model: model.name, address: backend.provider.baseUrl, refusal: error.message },
    );
    await this.#prepareAgain(chat, replayFor(services, incoming, chat, this.#key));
    recordRoute(this.#context, chat);
    return true;
  }

  /** A model that thinks has used up the output before its first word: what is an error there is an answer without words here. */
  answerInstead(error: ApiError): string | undefined {
    if (error.code !== 'output_exhausted') return undefined;
    const reader = this.#createTranslator();
    this.#readers.push(reader);
    return reader.pushJson(WORDLESS[this.route.model.protocol]) + reader.end();
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
    if (this.route.model.protocol === 'responses') this.#context.services.models.markAnswered(this.route.ref);
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
    record.serviceTier = outcome.serviceTier;
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
    const { translated, inputEstimate, replay } = this.#prepared;
    const { model } = this.route;
    return new Translator(
      {
        messageId: createId('msg_'),
        requestedModel: this.#body.parsed.model,
        protocol: model.protocol,
        provider: model.provider,
        reasoningFingerprint: replay.fingerprint,
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
