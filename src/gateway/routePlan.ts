import type { ModelRef } from '../config/config.ts';
import { isObject } from '../core/json.ts';
import { type Decision, decide, planCandidates, type RequestFacts } from '../routing/intent.ts';
import { routeModel } from '../routing/modelRouter.ts';
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
  model: ModelRef,
): RequestFacts {
  const { config, calibration, models } = services;
  const { value } = body;
  return {
    isLong: () => {
      // A token has at least one byte, so that most requests need no counting.
      if (body.bytes.length < config.longContextThreshold) return false;
      const measured = body.measuredIfReadable;
      if (measured === undefined) return false;
      return calibration.estimate(models.get(model).name, measured) >= config.longContextThreshold;
    },
    isSubagent: () => agent !== undefined,
    isWebSearch: () => isWebSearchRequest(body.object),
    isThinking: () => {
      const thinking = isObject(value) ? value['thinking'] : undefined;
      return isObject(thinking) && (thinking['type'] === 'enabled' || thinking['type'] === 'adaptive');
    },
    hasImages: () => listOf(value, 'messages').some((message) => isObject(message) && hasImage(message['content'])),
    seesImages: (ref) => models.get(ref).settings.vision,
  };
}

/** Where one request goes. */
export interface Plan {
  readonly requestedModel: string;
  readonly decision: Decision;
  /** The models that may serve it, in the order in which they are asked; never empty. */
  readonly candidates: readonly ModelRef[];
  /** What the requests of its conversation have in common. */
  readonly conversation: () => string;
  /** What was changed about the name that the client asked for, for the log. */
  readonly notes: readonly string[];
}

/**
 * From the requested model to the candidates (R103). Throws ApiError for a request without a model.
 * @param isQuestion whether the plan is not carried out, and has no consequences for the requests to come
 */
export function planRequest(
  services: Services,
  incoming: Pick<IncomingRequest, 'agent' | 'session'>,
  body: RequestBody,
  isQuestion = false,
): Plan {
  const { config, order } = services;
  const requestedModel = body.object.model;
  const { note, ...routed } = routeModel(requestedModel, config);
  const decision = decide(config, routed, factsOf(services, incoming, body, routed.model));
  const conversation = () => incoming.session ?? body.firstMessage;
  const ordered =
    isQuestion || decision.intent !== 'tier' ? order.look(config, conversation) : order.take(config, conversation);
  return {
    requestedModel,
    decision,
    candidates: planCandidates(decision, config, ordered),
    conversation,
    notes: note === undefined ? [] : [note],
  };
}
