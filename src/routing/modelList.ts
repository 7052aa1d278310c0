import type { Config } from '../config/config.ts';
import { modelNames } from '../core/models.ts';
import { routeModel } from './modelRouter.ts';

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
 * The configured models of all providers and those of the models file. A model that is in no tier has a second name,
 * `claude-<instance>--<model>`, because Claude Code's picker keeps only ids that contain `claude`; those of the tiers it has already.
 * `day` (YYYY-MM-DD) stands in for the unknown day of their making.
 */
export function listModels(
  config: Pick<Config, 'instance' | 'tiers' | 'providers' | 'customModels'>,
  day: string,
): readonly ModelInfo[] {
  const describe = (id: string, display_name: string): ModelInfo => ({
    type: 'model',
    id,
    display_name,
    created_at: `${day}T00:00:00Z`,
  });
  const { ofTiers, others } = modelNames(config);
  return [
    ...ofTiers.map((model) => describe(model, model)),
    ...others.flatMap((model) => [
      describe(model, model),
      describe(`claude-${config.instance}--${model}`, `${model} (${config.instance})`),
    ]),
  ];
}

/**
 * The description of one model: of the list, or of a name that means one of the tiers, as the client's own names of models do.
 * @returns undefined for a name that means none of the configured models
 * @throws ApiError (invalid_request) for a name of more than a kilobyte
 */
export function findModelInfo(id: string, models: readonly ModelInfo[], config: Config): ModelInfo | undefined {
  const listed = models.find((candidate) => candidate.id === id);
  const [first] = models;
  if (listed !== undefined || first === undefined || id === '') return listed;
  const { tier, model } = routeModel(id, config);
  return tier === 'none' ? undefined : { ...first, id, display_name: model.name };
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
