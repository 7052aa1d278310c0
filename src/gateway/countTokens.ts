import { parseCountRequest } from '../protocol/anthropic/parseRequest.ts';
import { measureTokens } from '../translate/countTokens.ts';
import { resolveTarget } from './prepare.ts';
import { readBody } from './readBody.ts';
import type { Services } from './services.ts';

/** Answers `POST /v1/messages/count_tokens`: an estimate with the factors learned for the model, no network (R502). */
export function countTokens(services: Services, body: Buffer): { input_tokens: number } {
  const request = parseCountRequest(readBody(body));
  const { target } = resolveTarget(services, request.model);
  return { input_tokens: services.calibration.estimate(target.model, measureTokens(request)) };
}
