import { parseCountRequest } from '../protocol/anthropic/parseRequest.ts';
import { measureTokens } from '../translate/countTokens.ts';
import { askTokenCount } from './askTokenCount.ts';
import { readBody } from './readBody.ts';
import { findRoute } from './route.ts';
import type { IncomingRequest, Services } from './services.ts';

/**
 * Answers `POST /v1/messages/count_tokens`: an estimate with the factors learned for the model, no network (R502); a native
 * endpoint that counts exactly and for nothing is asked first.
 * @param onGone calls its listener when the client goes away
 */
export async function countTokens(
  services: Services,
  incoming: IncomingRequest,
  onGone: (listener: () => void) => void,
): Promise<{ input_tokens: number }> {
  const value = readBody(incoming.body);
  const request = parseCountRequest(value);
  const { target, destination } = findRoute(services, request.model);
  const { countsTokens } = destination.provider.preset;
  const counted = countsTokens === true ? await askTokenCount(services, incoming, value, onGone) : undefined;
  return { input_tokens: counted ?? services.calibration.estimate(target.model, measureTokens(request)) };
}
