import { type Decision, decide, planCandidates } from '../routing/intent.ts';
import { routeModel } from '../routing/modelRouter.ts';
import type { RequestBody } from './requestBody.ts';
import { factsOf } from './requestFacts.ts';
import type { IncomingRequest, Services } from './services.ts';

/** Where one request goes. */
export interface Plan {
  readonly requestedModel: string;
  readonly decision: Decision;
  /** The models that may serve it, in the order in which they are asked; never empty. */
  readonly candidates: readonly string[];
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
  const decision = decide(config.router, routed, factsOf(services, incoming, body, routed.model));
  const conversation = () => incoming.session ?? body.firstMessage;
  const ordered =
    isQuestion || decision.intent !== 'tier' ? order.look(config, conversation) : order.take(config, conversation);
  return {
    requestedModel,
    decision,
    candidates: planCandidates(decision, config.tiers, ordered),
    conversation,
    notes: note === undefined ? [] : [note],
  };
}
