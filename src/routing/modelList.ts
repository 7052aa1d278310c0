import type { Config } from '../config/config.ts';

/** A model as Anthropic's `GET /v1/models` describes it. */
export interface ModelInfo {
  readonly type: 'model';
  readonly id: string;
  readonly display_name: string;
  /** RFC 3339. */
  readonly created_at: string;
}

export interface ModelPage {
  readonly data: readonly ModelInfo[];
  readonly has_more: boolean;
  readonly first_id: string | null;
  readonly last_id: string | null;
}

/**
 * The configured models of all providers and those of the models file, each under two names: its own, and
 * `claude-<instance>--<model>`, because Claude Code's picker keeps only ids that contain `claude`. `day` (YYYY-MM-DD) stands in for
 * the unknown day of their making.
 */
export function listModels(
  { instance, tiers, providers, customModels }: Pick<Config, 'instance' | 'tiers' | 'providers' | 'customModels'>,
  day: string,
): readonly ModelInfo[] {
  const created_at = `${day}T00:00:00Z`;
  const fallbacks = providers.flatMap(({ models: { big, middle, small } }) => [...big, ...middle, ...small]);
  const custom = [...customModels.values()].map((model) => model.name);
  return [...new Set([tiers.big, tiers.middle, tiers.small, ...fallbacks, ...custom])].flatMap((model) => [
    { type: 'model', id: model, display_name: model, created_at },
    { type: 'model', id: `claude-${instance}--${model}`, display_name: `${model} (${instance})`, created_at },
  ]);
}

/** Which part of the list is wanted. */
export interface PageQuery {
  /** The page begins behind this model. */
  readonly afterId?: string | undefined;
  /** The page ends in front of this model; counts only without `afterId`. */
  readonly beforeId?: string | undefined;
}

/**
 * One page of the list, at most `limit` models long. An id that is not in the list begins at the first model. `has_more` is of the
 * direction in which the pages are read.
 */
export function pageModels(
  models: readonly ModelInfo[],
  limit: number,
  { afterId, beforeId }: PageQuery = {},
): ModelPage {
  const before = afterId === undefined ? models.findIndex((model) => model.id === beforeId) : -1;
  const end = before === -1 ? models.length : before;
  const start = before === -1 ? models.findIndex((model) => model.id === afterId) + 1 : Math.max(0, before - limit);
  const data = models.slice(start, Math.min(end, start + limit));
  return {
    data,
    has_more: before === -1 ? start + limit < models.length : start > 0,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}
