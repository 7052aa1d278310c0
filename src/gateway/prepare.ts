import { type TranslatedRequest, translateRequest } from '../translate/request/request.ts';
import type { TokenParts } from '../translate/tokens.ts';
import type { RequestBody } from './requestBody.ts';
import type { Route } from './route.ts';
import type { Services } from './services.ts';

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
  return { route, translated: translateRequest(request, target, inputEstimate), measured, inputEstimate };
}
