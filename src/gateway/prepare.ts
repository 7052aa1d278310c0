import type { MessagesRequest } from '../protocol/anthropic/request.ts';
import { resolveModel, type Tier } from '../routing/tier.ts';
import { measureTokens } from '../translate/countTokens.ts';
import { type TranslatedRequest, translateRequest } from '../translate/request.ts';
import type { Target } from '../translate/target.ts';
import type { TokenParts } from '../translate/textTokens.ts';
import type { Services } from './services.ts';

/** A request that is understood and translated, ready to be sent. */
export interface Prepared {
  readonly request: MessagesRequest;
  readonly tier: Tier;
  readonly target: Target;
  readonly translated: TranslatedRequest;
  readonly stream: boolean;
  /** The input as it was measured, before the model's factors, to learn these from (R502). */
  readonly measured: Readonly<TokenParts>;
  readonly inputEstimate: number;
  /** Whether the last turn is a tool result; an empty answer to one is meant (R215). */
  readonly afterToolResult: boolean;
}

function endsWithToolResult(request: MessagesRequest): boolean {
  const content = request.messages.at(-1)?.content;
  return Array.isArray(content) && content.some((block) => block.type === 'tool_result');
}

/** The tier of the requested model and what it is translated for (R103). */
export function resolveTarget(services: Services, requestedModel: string): { tier: Tier; target: Target } {
  const { config, targets } = services;
  const { tier, model } = resolveModel(requestedModel, config.tiers, config.provider.preset.models);
  return { tier, target: targets.get(model) };
}

/** From the parsed request to the provider's words; throws ApiError for what cannot be served. */
export function prepare(services: Services, request: MessagesRequest, tier: Tier, target: Target): Prepared {
  const measured = measureTokens(request);
  const inputEstimate = services.calibration.estimate(target.model, measured);
  return {
    request,
    tier,
    target,
    translated: translateRequest(request, target, inputEstimate),
    stream: request['stream'] === true,
    measured,
    inputEstimate,
    afterToolResult: endsWithToolResult(request),
  };
}
