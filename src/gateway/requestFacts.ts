import { isObject } from '../core/json.ts';
import type { RequestFacts } from '../routing/intent.ts';
import { isWebSearchRequest } from '../translate/request/tools.ts';
import { listOf, type RequestBody } from './requestBody.ts';
import type { IncomingRequest, Services } from './services.ts';

function hasImage(content: unknown): boolean {
  if (!Array.isArray(content)) return false;
  return content.some(
    (block) =>
      isObject(block) && (block['type'] === 'image' || block['type'] === 'image_url' || hasImage(block['content'])),
  );
}

/**
 * What routing by intent may ask of a request.
 * @param model the model that a long input would otherwise go to, whose tokens are counted
 */
export function factsOf(
  services: Services,
  { agent }: Pick<IncomingRequest, 'agent'>,
  body: RequestBody,
  model: string,
): RequestFacts {
  const { config, calibration, targets } = services;
  const { value } = body;
  return {
    isLong: () => {
      // A token has at least one byte, so that most requests need no counting.
      if (body.bytes.length < config.longContextThreshold) return false;
      const measured = body.measuredIfReadable;
      if (measured === undefined) return false;
      return calibration.estimate(targets.get(model).model, measured) >= config.longContextThreshold;
    },
    isSubagent: () => agent !== undefined,
    isWebSearch: () => isWebSearchRequest(body.object),
    isThinking: () => {
      const thinking = isObject(value) ? value['thinking'] : undefined;
      return isObject(thinking) && (thinking['type'] === 'enabled' || thinking['type'] === 'adaptive');
    },
    hasImages: () => listOf(value, 'messages').some((message) => isObject(message) && hasImage(message['content'])),
    seesImages: (name) => targets.get(name).settings.vision,
  };
}
