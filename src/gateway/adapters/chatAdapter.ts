import type { ProviderKey } from '../../config/config.ts';
import { ApiError } from '../../core/errors.ts';
import type { MessagesRequest } from '../../protocol/anthropic/request.ts';
import type { ChatRequest } from '../../protocol/openai/types.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';
import { type TranslatedRequest, translateRequest } from '../../translate/request/request.ts';
import { createTranslator, type Translator } from '../../translate/response/translator.ts';
import type { TokenParts } from '../../translate/tokens.ts';
import { type FailureContext, failureOfBody } from '../../upstream/errors.ts';
import { mintId } from '../ids.ts';
import { inTurns } from '../readBody.ts';
import type { RequestBody } from '../requestBody.ts';
import { type Run, recordKey, recordRoute } from '../requestContext.ts';
import type { Route } from '../route.ts';
import type { Plan } from '../routePlan.ts';
import type { Services } from '../services.ts';
import { type Answerer, type Attempt, authorizationFor, createFailureContext } from './adapter.ts';

/** A change of settings that makes a refused request acceptable, and how the user writes it down for good. */
export interface Healing {
  readonly settings: Partial<QuirkSettings>;
  /** The line for the env file. */
  readonly advice: string;
}

/** Fields that a request can do without; messages and tools are never among them (R413). */
const OPTIONAL_FIELDS = [
  'temperature',
  'top_p',
  'top_k',
  'stop',
  'parallel_tool_calls',
  'stream_options',
  'reasoning_effort',
  'effort',
  'thinking_budget',
  'enable_thinking',
  'thinking',
  'reasoning_split',
  'reasoning',
  'tool_stream',
  'prompt_cache_key',
  'user',
];

const REFUSAL =
  /unsupported|not support|unknown|unrecogni[sz]ed|unexpected|not permitted|not allowed|cannot find field|invalid parameter|incompatible|deprecated/i;

function mentions(text: string, field: string): boolean {
  return new RegExp(`(?<![\\w.-])${field}(?![\\w-])`, 'i').test(text);
}

function healMissingReasoning(text: string): Healing | undefined {
  if (!/reasoning_content\b.*(?:missing|passed back|required)/is.test(text)) return undefined;
  return {
    settings: { reasoningReplay: 'reasoning_content', reasoningRequired: 'empty' },
    advice: 'QUIRK_REASONING_REPLAY=reasoning_content and QUIRK_REASONING_REQUIRED=empty',
  };
}

function healOutputLimitName(text: string, body: ChatRequest): Healing | undefined {
  for (const [sent, wanted] of [
    ['max_tokens', 'max_completion_tokens'],
    ['max_completion_tokens', 'max_tokens'],
  ] as const) {
    if (body[sent] !== undefined && mentions(text, sent) && REFUSAL.test(text)) {
      return { settings: { maxTokensField: wanted }, advice: `QUIRK_MAX_TOKENS_FIELD=${wanted}` };
    }
  }
  return undefined;
}

function healRefusedField(text: string, body: ChatRequest, current: QuirkSettings): Healing | undefined {
  const field = REFUSAL.test(text)
    ? OPTIONAL_FIELDS.find((name) => body[name] !== undefined && mentions(text, name))
    : undefined;
  if (field === undefined) return undefined;
  const dropParams = [...current.dropParams, field];
  return { settings: { dropParams }, advice: `QUIRK_DROP_PARAMS=${dropParams.join(',')}` };
}

/**
 * Reads a provider's refusal of one dispensable part of a request (R413, R134): what to change so that the same request can
 * be sent again at once, or undefined when the refusal is about something else.
 */
export function healingFor(error: ApiError, body: ChatRequest, current: QuirkSettings): Healing | undefined {
  if (error.code !== 'upstream_invalid_request' && error.code !== 'capability_rejected') return undefined;
  const text = typeof error.cause === 'string' ? error.cause : error.message;
  return healMissingReasoning(text) ?? healOutputLimitName(text, body) ?? healRefusedField(text, body, current);
}

/** A request that is understood and translated for one model, ready to be sent. */
export interface Prepared {
  readonly route: Route;
  readonly translated: TranslatedRequest;
  /** The input as it was measured, before the model's factors, to learn these from (R502). */
  readonly measured: Readonly<TokenParts>;
  readonly inputEstimate: number;
}

/** From the client's request to the provider's words; throws ApiError for what cannot be served. */
export function prepare(services: Services, body: RequestBody, route: Route): Prepared {
  const { target } = route;
  const request = body.parsed;
  const { measured } = body;
  const inputEstimate = services.calibration.estimate(target.model, measured);
  return { route, translated: translateRequest(request, target, inputEstimate, body.cache), measured, inputEstimate };
}

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
        createToolId: () => mintId('toolu_'),
        deltaRepair: target.repairs.createDeltaRepair?.(),
        toApiError: (body) => failureOfBody(body, body.status, this.failureContext()),
      },
      this.isWhole ? 'message' : 'events',
    );
  }
}
