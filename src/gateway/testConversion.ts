import { type JsonObject, parseObject } from '../core/json.ts';
import { parseRequest } from '../protocol/anthropic/parseRequest.ts';
import { endpointUrl } from '../upstream/endpointUrl.ts';
import { preparePassthrough } from './passthroughRequest.ts';
import { prepare } from './prepare.ts';
import { readBody } from './readBody.ts';
import { findRoute, isNative, type Route } from './route.ts';
import type { Services } from './services.ts';

function describeRoute({ tier, target, destination }: Route): JsonObject {
  return {
    url: endpointUrl(destination.provider.endpoint, target.model).href,
    provider: target.provider,
    tier,
    model: target.model,
  };
}

/** Answers `POST /v1/messages/test_conversion`: the request that the provider would get, without sending it. */
export function testConversion(services: Services, body: Buffer): JsonObject {
  const value = readBody(body);
  if (isNative(services, value)) {
    const { route, body: sent } = preparePassthrough(services, body, value);
    return { ...describeRoute(route), request: parseObject(sent.toString()) };
  }
  const request = parseRequest(value);
  const route = findRoute(services, request.model);
  const { translated, inputEstimate } = prepare(services, request, route);
  return {
    ...describeRoute(route),
    estimated_input_tokens: inputEstimate,
    dropped_fields: [...translated.droppedFields],
    notes: [...route.notes, ...translated.notes],
    request: translated.body,
  };
}
