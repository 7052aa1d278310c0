import type { ProviderKey } from '../config/config.ts';
import { ApiError } from '../core/errors.ts';
import type { MessagesRequest } from '../protocol/anthropic/request.ts';
import { createTranslator, type Translator } from '../translate/response/translator.ts';
import { type FailureContext, failureOfBody } from '../upstream/errors.ts';
import type { Answerer, Attempt } from './answerer.ts';
import { authorizationFor } from './authorization.ts';
import { createFailureContext } from './failureContext.ts';
import { healingFor } from './healing.ts';
import { inTurns } from './inTurns.ts';
import { mintId } from './mintId.ts';
import type { Plan } from './planRequest.ts';
import { type Prepared, prepare } from './prepare.ts';
import type { RequestBody } from './requestBody.ts';
import type { Route } from './route.ts';
import { type Run, recordKey, recordRoute } from './run.ts';

function endsWithToolResult(request: MessagesRequest): boolean {
  const content = request.messages.at(-1)?.content;
  return Array.isArray(content) && content.some((block) => block.type === 'tool_result');
}

/** Answers a Messages request from a provider that speaks chat completions: translates there and back. */
export class ChatAnswerer implements Answerer {
  readonly mayRepeatEmpty: boolean;
  readonly isWhole: boolean;
  readonly #run: Run;
  readonly #body: RequestBody;
  #prepared: Prepared;
  #key: ProviderKey;
  /** Of each attempt, as the tokens of all were paid for. */
  readonly #readers: Translator[] = [];

  /** @throws ApiError for what cannot be translated */
  constructor(run: Run, plan: Plan, body: RequestBody, route: Route) {
    this.#run = run;
    this.#body = body;
    this.#key = route.destination.provider.key;
    recordRoute(run, route);
    this.#prepared = prepare(run.services, body, route);
    // An empty answer to a tool's result is meant (R215).
    this.mayRepeatEmpty = !endsWithToolResult(body.parsed);
    this.isWhole = !run.record.stream;
    const { droppedFields, notes } = this.#prepared.translated;
    run.record.droppedFields = droppedFields.length;
    run.record.notes = [...plan.notes, ...notes];
  }

  get route(): Route {
    return this.#prepared.route;
  }

  prepare(): Promise<void> | undefined {
    return inTurns(this.#run.services.bodies.prepare(this.#prepared.translated.body));
  }

  createAttempt(key: ProviderKey): Attempt {
    this.#key = key;
    recordKey(this.#run, this.route, key);
    const { services, incoming } = this.#run;
    const { target, destination } = this.route;
    const { body } = this.#prepared.translated;
    const { idleTimeoutMs, usageWaitMs } = target.settings;
    const request = {
      model: target.model,
      body: services.bodies.write(body),
      stream: body['stream'] === true,
      authorization: authorizationFor(services, incoming, destination.provider, key),
    };
    const reader = this.#createTranslator();
    this.#readers.push(reader);
    return { request, reader, idleTimeoutMs, usageWaitMs };
  }

  failureContext(): FailureContext {
    const { services, incoming } = this.#run;
    return createFailureContext(services, this.route, this.#key, this.#prepared.inputEstimate, incoming);
  }

  /** Leaves out what the provider refused, and remembers it (R413). */
  heal(error: ApiError): boolean {
    const { services } = this.#run;
    const { route, translated } = this.#prepared;
    const healing = healingFor(error, translated.body, route.target.settings);
    if (healing === undefined) return false;
    const target = services.targets.learn(route.name, healing.settings);
    services.logger.warn(
      `the provider refused a part of the request, which is changed from now on; to keep it so, set ${healing.advice}`,
      { model: target.model, refusal: error.message },
    );
    this.#prepared = prepare(services, this.#body, { ...route, target });
    return true;
  }

  bodyOf(): string {
    return JSON.stringify(this.#readers.at(-1)?.message());
  }

  /** Learns from the provider's own count, too (R502). */
  record(): void {
    const { record, services } = this.#run;
    const reader = this.#readers.at(-1);
    if (reader === undefined) return;
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
    for (const { outcome: earlier } of this.#readers.slice(0, -1)) {
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
      services.calibration.observe(this.route.target.model, this.#prepared.measured, promptTokens);
    }
  }

  #createTranslator(): Translator {
    const { translated, inputEstimate } = this.#prepared;
    const { target } = this.route;
    return createTranslator(
      {
        messageId: mintId('msg_'),
        requestedModel: this.#body.parsed.model,
        provider: target.provider,
        inputEstimate,
        settings: target.settings,
        toolNames: translated.toolNames,
        offeredTools: translated.offeredTools,
        stopSequences: translated.stopSequences,
        ...(translated.maxTokens === undefined ? {} : { maxTokens: translated.maxTokens }),
        ...(translated.safeguardResults === undefined ? {} : { safeguardResults: translated.safeguardResults }),
        mintToolId: () => mintId('toolu_'),
        deltaRepair: target.repairs.createDeltaRepair(),
        toApiError: (body) => failureOfBody(body, body.status, this.failureContext()),
      },
      this.isWhole ? 'message' : 'events',
    );
  }
}
