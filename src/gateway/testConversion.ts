import type { JsonObject } from '../core/json.ts';
import { parseRequest } from '../protocol/anthropic/parseRequest.ts';
import { endpointUrl } from '../upstream/endpointUrl.ts';
import { prepare, resolveTarget } from './prepare.ts';
import { readBody } from './readBody.ts';
import type { Services } from './services.ts';

/** Answers `POST /v1/messages/test_conversion`: the request that the provider would get, without sending it. */
export function testConversion(services: Services, body: Buffer): JsonObject {
  const request = parseRequest(readBody(body));
  const { tier, target } = resolveTarget(services, request.model);
  const { translated, inputEstimate } = prepare(services, request, tier, target);
  return {
    url: endpointUrl(services.config.provider.endpoint, target.model).href,
    provider: target.provider,
    tier,
    model: target.model,
    estimated_input_tokens: inputEstimate,
    dropped_fields: [...translated.droppedFields],
    notes: [...translated.notes],
    request: translated.body,
  };
}
