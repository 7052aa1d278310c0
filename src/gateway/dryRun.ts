import type { ModelRef } from '../config/config.ts';
import type { JsonObject } from '../core/json.ts';
import { checkDepth } from '../protocol/anthropic/request.ts';
import { maskMerged } from '../quirks/compose.ts';
import { SEARCH_REFUSED } from '../search/answer.ts';
import { endpointUrl } from '../upstream/client.ts';
import { expandSearches, previewPictures } from './adapters/adapter.ts';
import { passthroughBody, repairedRequest } from './adapters/messagesAdapter.ts';
import { prepareInSteps, replayFor } from './adapters/translatingAdapter.ts';
import { type RequestBody, runCooperatively, withBody } from './requestBody.ts';
import {
  endpointOf,
  filterByWebSearch,
  isNative,
  type Plan,
  planRequest,
  protocolOfRoute,
  type Route,
  routeNow,
  routeTo,
  skipReason,
} from './route.ts';
import type { IncomingRequest, Services } from './services.ts';

function describeRoute(route: Route): JsonObject {
  const { model, provider } = route;
  return {
    url: endpointUrl(endpointOf(route), model.name).href,
    protocol: protocolOfRoute(route),
    provider,
    model: model.name,
  };
}

function describePlan({ decision, candidates }: Plan, able: readonly ModelRef[], services: Services): JsonObject {
  return {
    tier: decision.tier,
    intent: decision.rule,
    reason: decision.reason,
    candidates: candidates.map((ref) => {
      const route = routeTo(services, ref);
      const obstacle = able.includes(ref) ? skipReason(route) : 'it cannot search the web';
      return { name: ref.name, ...describeRoute(route), skipped: obstacle ?? null };
    }),
  };
}

/** A request without what the user's own settings add to it, which may hold credentials. */
function printable(request: JsonObject, { backend }: Route): JsonObject {
  const { extraBody, streamBody, webSearchBody } = backend.provider.overrides;
  return [extraBody, streamBody, webSearchBody].reduce<JsonObject>((body, merged) => maskMerged(body, merged), request);
}

const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/** The description with the request at its end, as JSON. What has been printed of the request already is not printed again. */
function print(description: JsonObject, printed: Buffer): Buffer {
  const hasMark = printed.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
  const request = hasMark ? printed.subarray(BYTE_ORDER_MARK.length) : printed;
  return Buffer.concat([
    Buffer.from(`${JSON.stringify(description).slice(0, -1)},"request":`),
    request,
    Buffer.from('}'),
  ]);
}

/**
 * Answers `POST /v1/messages/test_conversion`: where the request would go and why, and what the provider would get, without sending
 * it. Of several candidates it is the one that would be asked first now.
 * @returns JSON
 */
export async function dryRun(services: Services, incoming: IncomingRequest): Promise<Buffer> {
  return withBody(services, incoming.body, async (body) => {
    const plan = planRequest(services, incoming, body);
    return describe(services, incoming, await expandSearches(services, body), plan);
  });
}

async function describe(services: Services, incoming: IncomingRequest, sent: RequestBody, plan: Plan): Promise<Buffer> {
  const able = filterByWebSearch(services, plan.candidates, sent);
  const route = routeNow(services, able.length === 0 ? plan.candidates : able);
  const body = await previewPictures(services, sent, route);
  const description = { ...describeRoute(route), ...describePlan(plan, able, services) };
  if (isNative(route)) {
    checkDepth(body.object); // it goes on as it came, but may be printed here
    const repaired = repairedRequest(body.object, route.model);
    // The settings add nothing to what goes on as it came.
    if (repaired === undefined) return print(description, passthroughBody(body, route.model, services.bodies));
    return print(description, services.bodies.writer.write(printable(repaired, route)));
  }
  const replay = replayFor(services, incoming, route, route.backend.keys.choose(plan.conversation));
  const { translated, inputEstimate } = await runCooperatively(
    prepareInSteps(services, body, route, replay),
    body.bytes.length,
  );
  const notes = [...plan.notes, ...(able.length === 0 ? [SEARCH_REFUSED] : []), ...translated.notes];
  return print(
    { ...description, estimated_input_tokens: inputEstimate, dropped_fields: [...translated.droppedFields], notes },
    services.bodies.writer.write(printable(translated.body, route)),
  );
}
