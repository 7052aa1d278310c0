import type { ModelRef } from '../config/config.ts';
import { isObject } from '../core/json.ts';
import { type Decision, decide, planCandidates, type RequestFacts } from '../routing/decision.ts';
import { isWebSearchRequest } from '../translate/request/tools.ts';
import { listOf, type RequestBody } from './requestBody.ts';
import { isNative, routeTo } from './route.ts';
import type { IncomingRequest, Services } from './services.ts';

function hasImage(content: unknown): boolean {
  if (!Array.isArray(content)) return false;
  return content.some(
    (block) =>
      isObject(block) && (block['type'] === 'image' || block['type'] === 'image_url' || hasImage(block['content'])),
  );
}

/** What routing by intent may ask of a request; each is looked at only when it is asked for. */
export class BodyFacts implements RequestFacts {
  readonly #services: Services;
  readonly #incoming: Pick<IncomingRequest, 'agent'>;
  readonly #body: RequestBody;
  readonly #model: ModelRef;

  /** @param model the model that a long input would otherwise go to, whose tokens are counted */
  constructor(services: Services, incoming: Pick<IncomingRequest, 'agent'>, body: RequestBody, model: ModelRef) {
    this.#services = services;
    this.#incoming = incoming;
    this.#body = body;
    this.#model = model;
  }

  isLong(): boolean {
    const { config, calibration, models } = this.#services;
    // A token has at least one byte, so that most requests need no counting.
    if (this.#body.bytes.length < config.longContextThreshold) return false;
    const measured = this.#body.measuredIfReadable;
    if (measured === undefined) return false;
    return calibration.estimate(models.get(this.#model).name, measured) >= config.longContextThreshold;
  }

  isSubagent(): boolean {
    return this.#incoming.agent !== undefined;
  }

  isWebSearch(): boolean {
    return isWebSearchRequest(this.#body.object);
  }

  isThinking(): boolean {
    const { value } = this.#body;
    const thinking = isObject(value) ? value['thinking'] : undefined;
    return isObject(thinking) && (thinking['type'] === 'enabled' || thinking['type'] === 'adaptive');
  }

  hasImages(): boolean {
    return listOf(this.#body.value, 'messages').some((message) => isObject(message) && hasImage(message['content']));
  }

  seesImages(model: ModelRef): boolean {
    return this.#services.models.get(model).settings.vision;
  }
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

const NO_NOTES: readonly string[] = [];

/**
 * From the requested model to the candidates. Throws ApiError for a request without a model.
 * @param isQuestion whether the plan is not carried out, and has no consequences for the requests to come
 */
export function planRequest(
  services: Services,
  incoming: Pick<IncomingRequest, 'agent' | 'session'>,
  body: RequestBody,
  isQuestion = false,
): Plan {
  const { config, models, order } = services;
  const requestedModel = body.object.model;
  const { routed, decision: byName, candidates } = models.route(requestedModel);
  const hasRules = Object.keys(config.router).length > 0;
  const decision = hasRules ? decide(config, routed, new BodyFacts(services, incoming, body, routed.model)) : byName;
  const conversation = () => incoming.session ?? body.firstMessage;
  const ordered =
    isQuestion || decision.rule !== 'tier' ? order.look(config, conversation) : order.take(config, conversation);
  return {
    requestedModel,
    decision,
    candidates:
      decision === byName && ordered === config.providers ? candidates : planCandidates(decision, config, ordered),
    conversation,
    notes: routed.note === undefined ? NO_NOTES : [routed.note],
  };
}

/** Those candidates that can search the web, for a request that is nothing but a search; all for any other. */
export function filterByWebSearch(
  services: Services,
  candidates: readonly ModelRef[],
  body: RequestBody,
): readonly ModelRef[] {
  if (!isWebSearchRequest(body.object)) return candidates;
  return candidates.filter((ref) => {
    const route = routeTo(services, ref);
    return isNative(route) || route.model.settings.webSearch === 'native';
  });
}
