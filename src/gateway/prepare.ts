import type { MessagesRequest } from '../protocol/anthropic/request.ts';
import { measureTokens } from '../translate/countTokens.ts';
import { type TranslatedRequest, translateRequest } from '../translate/request.ts';
import type { TokenParts } from '../translate/textTokens.ts';
import type { Route } from './route.ts';
import type { Services } from './services.ts';

/** A request that is understood and translated, ready to be sent. */
export interface Prepared {
  readonly request: MessagesRequest;
  readonly route: Route;
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

/** From the parsed request to the provider's words; throws ApiError for what cannot be served. */
export function prepare(services: Services, request: MessagesRequest, route: Route): Prepared {
  const { target } = route;
  const measured = measureTokens(request);
  const inputEstimate = services.calibration.estimate(target.model, measured);
  return {
    request,
    route,
    translated: translateRequest(request, target, inputEstimate),
    stream: request['stream'] === true,
    measured,
    inputEstimate,
    afterToolResult: endsWithToolResult(request),
  };
}
