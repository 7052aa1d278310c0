import type { ClientRequest } from '../clients/clientAccounts.ts';
import type { ModelRef, NamedProvider, ProviderKey } from '../config/config.ts';
import { isObject } from '../core/json.ts';
import type { SpokenProtocol } from '../providers/preset.ts';
import { type Decision, decide, planCandidates, type RequestFacts } from '../routing/decision.ts';
import type { Tier } from '../routing/modelRouter.ts';
import type { ResolvedModel } from '../translate/request/context.ts';
import { hostedSearch, isWebSearchRequest } from '../translate/request/tools.ts';
import { listOf, type RequestBody } from './requestBody.ts';
import type { Backend, IncomingRequest, Services } from './services.ts';

/** One candidate for a request: which model, as which provider calls it, and which server. */
export interface Route {
  readonly ref: ModelRef;
  /** How the provider is called: in failures, the log and the answer's headers. */
  readonly provider: string;
  /** Undefined for a server that stands in the models file. */
  readonly named: NamedProvider | undefined;
  readonly model: ResolvedModel;
  readonly backend: Backend;
}

/** Where a model is asked for. */
export function routeTo({ models, backends }: Services, ref: ModelRef): Route {
  const { provider, named } = ref;
  return {
    ref,
    provider: named?.name ?? provider.preset.name,
    named,
    model: models.get(ref),
    backend: backends.of(provider),
  };
}

/** Whether the server of a route speaks the Messages API itself. */
export function isNative({ backend }: Route): boolean {
  return backend.provider.preset.protocol === 'anthropic';
}

/** The full address that a route's model is asked at; `{model}` in it stands for its name. */
export function endpointOf({ model, backend: { provider } }: Route): string {
  return model.protocol === 'responses' ? (provider.responsesEndpoint ?? provider.endpoint) : provider.endpoint;
}

/** By what the model of a route is asked. */
export function protocolOfRoute({ model, backend: { provider } }: Route): SpokenProtocol {
  return provider.preset.protocol === 'chat' ? model.protocol : provider.preset.protocol;
}

/** The tiers that may take over for one, the nearest first; a larger model rather than a smaller one. */
const OTHER_TIERS = {
  small: ['middle', 'big'],
  middle: ['big', 'small'],
  big: ['middle', 'small'],
  none: [],
} as const satisfies Record<Tier, readonly Exclude<Tier, 'none'>[]>;

/** The first model of another tier at the provider of a route that is not among those asked, and that the client may use; undefined when there is none. */
export function otherTierModel(
  { services: { config }, client }: { readonly services: Services; readonly client?: ClientRequest | undefined },
  { named }: Route,
  tier: Tier,
  asked: readonly ModelRef[],
): ModelRef | undefined {
  const refs = OTHER_TIERS[tier].flatMap((other) =>
    (named?.models[other] ?? []).map(config.modelRefs.of).filter((ref) => client?.mayUse(ref, other) !== false),
  );
  const wasAsked = ({ provider, model }: ModelRef) =>
    asked.some((other) => other.provider === provider && other.model === model);
  return refs.find((ref) => !wasAsked(ref));
}

/** How a key is called where a provider has several: by its variable, and by its place where that holds more. */
export function keyLabel(keys: readonly ProviderKey[], key: ProviderKey): string {
  const alike = keys.filter(({ variable }) => variable === key.variable);
  return alike.length === 1 ? key.variable : `${key.variable} #${alike.indexOf(key) + 1}`;
}

/** A candidate that is not asked, or not asked yet, and why. */
export interface SkippedCandidate {
  readonly route: Route;
  readonly reason: string;
}

/** How a candidate is called for the user. */
export function candidateLabel({ provider, model }: Route): string {
  return `${provider},${model.name}`;
}

/** What speaks against asking a candidate now; undefined when nothing does. */
export function skipReason({ backend: { breaker, keys } }: Route): string | undefined {
  if (!breaker.canAcquire) return 'its circuit is open';
  if (keys.hasAvailable) return undefined;
  const states = keys.list();
  const all = states.map(({ key }) => key);
  return states.map(({ key, cooldown }) => `${keyLabel(all, key)} rests: ${cooldown?.reason}`).join('; ');
}

/** Where a request with these candidates, at least one, would go now. */
export function routeNow(services: Services, candidates: readonly ModelRef[]): Route {
  const taken = new Candidates(services, candidates).take();
  const [first] = candidates;
  if (first === undefined) throw new TypeError('no candidates');
  return taken?.route ?? routeTo(services, first);
}

/** The candidates of one request that were not asked yet, in their order. */
export class Candidates {
  readonly #left: Route[];

  constructor(services: Services, candidates: readonly ModelRef[]) {
    this.#left = candidates.map((ref) => routeTo(services, ref));
  }

  get isEmpty(): boolean {
    return this.#left.length === 0;
  }

  /** Whether there is one that could be asked now. */
  get hasCallable(): boolean {
    return this.#left.some(({ backend }) => backend.breaker.canAcquire);
  }

  /** Whether there is one at another server that nothing speaks against. */
  isFreeElsewhere(backend: Backend): boolean {
    return this.#left.some((route) => route.backend !== backend && skipReason(route) === undefined);
  }

  /** Takes out the first that nothing speaks against, else the first that can be asked at all; undefined when there is none. */
  take(): { readonly route: Route; readonly skipped: readonly SkippedCandidate[] } | undefined {
    const [first] = this.#left;
    if (first !== undefined && skipReason(first) === undefined) {
      this.#left.shift();
      return { route: first, skipped: [] };
    }
    const reasons = this.#left.map(skipReason);
    const free = reasons.indexOf(undefined);
    const index = free >= 0 ? free : this.#left.findIndex(({ backend }) => backend.breaker.canAcquire);
    const before = this.#left.slice(0, Math.max(index, 0));
    const [route] = index === -1 ? [] : this.#left.splice(index, 1);
    if (route === undefined) return undefined;
    return { route, skipped: before.map((skipped, place) => ({ route: skipped, reason: reasons[place] ?? '' })) };
  }

  /** Takes out the first, whatever speaks against it. */
  takeFirst(): Route | undefined {
    return this.#left.shift();
  }
}

function hasImage(content: unknown): boolean {
  if (!Array.isArray(content)) return false;
  return content.some(
    (block) =>
      isObject(block) && (block['type'] === 'image' || block['type'] === 'image_url' || hasImage(block['content'])),
  );
}

/** What the lines of the router may ask of a request; each is looked at only when it is asked for. */
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

/** From the requested model to the candidates. Throws ApiError for a request without a model. */
export function planRequest(
  services: Services,
  incoming: Pick<IncomingRequest, 'agent' | 'session'>,
  body: RequestBody,
): Plan {
  const { config, models, order } = services;
  const requestedModel = body.object.model;
  const { routed, decision: byName, candidates } = models.route(requestedModel);
  const hasRules = Object.keys(config.router).length > 0;
  const decision = hasRules ? decide(config, routed, new BodyFacts(services, incoming, body, routed.model)) : byName;
  const conversation = () => incoming.session ?? body.firstMessage;
  const ordered = order.order(config, conversation);
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
    const { protocol, settings } = route.model;
    if (isNative(route)) return true;
    return protocol === 'chat' ? settings.webSearch === 'native' : hostedSearch(body.object, settings) !== undefined;
  });
}
