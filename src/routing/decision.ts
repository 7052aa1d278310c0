import type { Config, ModelRef, NamedProvider, Router } from '../config/config.ts';
import type { Tiers } from '../providers/preset.ts';
import { type ModelSources, type RoutedModel, routeModel, type Tier } from './modelRouter.ts';

/** What decided where a request goes: the model that the user named, a line ROUTER_* of the env file, or the tier of its model. */
export type RouteRule =
  | 'named'
  | 'long_context'
  | 'subagent'
  | 'background'
  | 'web_search'
  | 'think'
  | 'default'
  | 'image'
  | 'tier';

export interface Decision {
  readonly rule: RouteRule;
  readonly tier: Tier;
  /** The model that is asked first. */
  readonly model: ModelRef;
  /** Why, in words for the user. */
  readonly reason: string;
}

/** What the lines of the router ask of a request; each is looked at only when the answer matters. */
export interface RequestFacts {
  /** Whether the input is at least as long as LONG_CONTEXT_THRESHOLD. */
  isLong(): boolean;
  isSubagent(): boolean;
  isWebSearch(): boolean;
  /** Whether the client asks for thinking. */
  isThinking(): boolean;
  hasImages(): boolean;
  seesImages(model: ModelRef): boolean;
}

interface Rule {
  readonly rule: Exclude<RouteRule, 'named' | 'tier' | 'image'>;
  readonly setting: string;
  readonly target: string | undefined;
  readonly holds: () => boolean;
  readonly reason: string;
}

function rulesOf(router: Router, tier: Tier, facts: RequestFacts): readonly Rule[] {
  return [
    {
      rule: 'long_context',
      setting: 'ROUTER_LONG_CONTEXT',
      target: router.longContext,
      holds: () => facts.isLong(),
      reason: 'the input is at least as long as LONG_CONTEXT_THRESHOLD',
    },
    {
      rule: 'subagent',
      setting: 'ROUTER_SUBAGENT',
      target: router.subagent,
      holds: () => facts.isSubagent(),
      reason: 'a subagent asks',
    },
    {
      rule: 'background',
      setting: 'ROUTER_BACKGROUND',
      target: router.background,
      holds: () => tier === 'small',
      reason: 'the small model is asked for',
    },
    {
      rule: 'web_search',
      setting: 'ROUTER_WEB_SEARCH',
      target: router.webSearch,
      holds: () => facts.isWebSearch(),
      reason: 'a web search is the only purpose',
    },
    {
      rule: 'think',
      setting: 'ROUTER_THINK',
      target: router.think,
      holds: () => facts.isThinking(),
      reason: 'thinking is asked for',
    },
    {
      rule: 'default',
      setting: 'ROUTER_DEFAULT',
      target: router.default,
      holds: () => true,
      reason: 'no other line of the router holds',
    },
  ];
}

type Routing = Pick<Config, 'router' | 'modelRefs'>;

/** What the name alone decides, where no line of the router holds. */
function decideByName({ tier, model, explicit }: RoutedModel): Decision {
  return explicit
    ? { rule: 'named', tier, model, reason: 'the client names this model' }
    : { rule: 'tier', tier, model, reason: `the requested model stands for the ${tier} model` };
}

function decideByRules({ router, modelRefs }: Routing, routed: RoutedModel, facts: RequestFacts): Decision {
  const { tier, explicit } = routed;
  if (!explicit) {
    for (const { rule, setting, target, holds, reason } of rulesOf(router, tier, facts)) {
      if (target !== undefined && holds())
        return { rule, tier, model: modelRefs.of(target), reason: `${setting}: ${reason}` };
    }
  }
  return decideByName(routed);
}

/**
 * Which model a request goes to, and why: the one that the user named, else the first line of the router that holds, else the
 * tier's. A model that does not see images gives way to ROUTER_IMAGE when there are any, unless the user named it.
 */
export function decide(config: Routing, routed: RoutedModel, facts: RequestFacts): Decision {
  const decision = decideByRules(config, routed, facts);
  const { image } = config.router;
  if (image === undefined || decision.rule === 'named') return decision;
  if (facts.seesImages(decision.model) || !facts.hasImages()) return decision;
  const reason = `ROUTER_IMAGE: there are images, which ${decision.model.name} does not see`;
  return { ...decision, rule: 'image', model: config.modelRefs.of(image), reason };
}

/**
 * The models that a request may be served by, in the order in which they are asked: a model that the client named has no fallback; else
 * each model of the tier at each provider follows, behind the router's target where there is one. Where the client's own name stands
 * for the first model of its tier, it is asked for by that name.
 * @param ordered the providers in the order of this request
 */
export function planCandidates(
  { rule, tier, model }: Decision,
  { tiers, modelRefs }: Pick<Config, 'tiers' | 'modelRefs'>,
  ordered: readonly NamedProvider[],
): readonly ModelRef[] {
  if (rule === 'named' || tier === 'none') return [model];
  const names = namesOf(tier, ordered);
  if (rule !== 'tier') return unique([model, ...names.map(modelRefs.of)]);
  const ordinary = names.map((name) => (name === tiers[tier] ? model : modelRefs.of(name)));
  return unique(ordinary.includes(model) ? ordinary : [model, ...ordinary]);
}

function namesOf(tier: keyof Tiers, ordered: readonly NamedProvider[]): string[] {
  return ordered.flatMap(({ models }) => models[tier]);
}

function unique(models: readonly ModelRef[]): readonly ModelRef[] {
  return models.length === 1 ? models : [...new Set(models)];
}

/** Where a name leads by itself, and the candidates for it as long as the providers stand in the order of the configuration. */
export interface NamedRoute {
  readonly routed: RoutedModel;
  readonly decision: Decision;
  readonly candidates: readonly ModelRef[];
}

/** Without a look at the request, which only the lines of the router ask for. */
export function routeName(requested: string, config: ModelSources): NamedRoute {
  const routed = routeModel(requested, config);
  const decision = decideByName(routed);
  return { routed, decision, candidates: planCandidates(decision, config, config.providers) };
}
