import { askTokenCount } from './askTokenCount.ts';
import { obstacleOf, routeNow } from './candidates.ts';
import { planRequest } from './planRequest.ts';
import type { RequestBody } from './requestBody.ts';
import type { IncomingRequest, Services } from './services.ts';
import { withBody } from './withBody.ts';

/** As the Messages API answers. */
export interface TokenCount {
  readonly input_tokens: number;
}

/**
 * Answers `POST /v1/messages/count_tokens` for the candidate that would be asked now: an estimate with the factors learned for the model, no network
 * (R502); a native endpoint that counts exactly and for nothing is asked first.
 * @param onGone calls its listener when the client goes away
 */
export async function countTokens(
  services: Services,
  incoming: IncomingRequest,
  onGone: (listener: () => void) => void,
): Promise<TokenCount> {
  return withBody(services, incoming.body, (body) => count(services, incoming, body, onGone));
}

async function count(
  services: Services,
  incoming: IncomingRequest,
  body: RequestBody,
  onGone: (listener: () => void) => void,
): Promise<TokenCount> {
  const { measured } = body;
  const { candidates, conversation } = planRequest(services, incoming, body, true);
  const route = routeNow(services, candidates);
  const { target, destination } = route;
  const counted =
    destination.provider.preset.countsTokens === true && obstacleOf(route) === undefined
      ? await askTokenCount(services, incoming, body, { route, conversation }, onGone)
      : undefined;
  return { input_tokens: counted ?? services.calibration.estimate(target.model, measured) };
}
