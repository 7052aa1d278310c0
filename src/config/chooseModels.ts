import { customId } from '../core/modelName.ts';
import { chooseTiers } from './chooseTiers.ts';
import type { Choices } from './chooseValues.ts';
import type { Config, NamedProvider } from './config.ts';
import { firstModels, nameModels, preferCustom } from './instanceProviders.ts';
import { modelPrefixes } from './modelPrefixes.ts';
import { customModels } from './modelsFile/customModels.ts';
import type { ModelsFile } from './modelsFile/readModelsFile.ts';
import type { FindNamedKey } from './namedKeys.ts';
import { readRouter } from './readRouter.ts';
import type { Report } from './report.ts';

/** What the models of an instance are chosen from. */
export interface ModelSources {
  /** By priority, their models by their own names for them. */
  readonly providers: readonly NamedProvider[];
  /** Names of providers that cannot be used. */
  readonly unusable: readonly string[];
  /** Whether the first is the env file's own, for which the router says more of its models than its preset does. */
  readonly hasOwn: boolean;
  readonly modelsFile: ModelsFile;
  readonly choices: Choices;
  readonly findNamedKey: FindNamedKey;
}

/** What a configuration says of models and of those who serve them. */
export type ChosenModels = Pick<
  Config,
  'provider' | 'providers' | 'tiers' | 'router' | 'customModels' | 'modelPrefixes' | 'modelsFile'
>;

/** The models by the names that routing knows; undefined when there is nobody to serve them, or none, which is told. */
export function chooseModels(sources: ModelSources, report: Report): ChosenModels | undefined {
  const { unusable, hasOwn, modelsFile, choices, findNamedKey } = sources;
  const [first, ...others] = sources.providers;
  if (first === undefined) return undefined;
  const custom = customModels(modelsFile.entries, first.provider, findNamedKey, modelsFile.report);
  const prefixes = modelPrefixes(first.provider.preset);
  const models = preferCustom(first.models, custom);
  const providers = [{ ...first, models }, ...others];
  const known = {
    customModels: custom,
    declared: new Set(modelsFile.entries.map(({ id }) => customId(id))),
    providers,
    unusable,
    prefixes,
  };
  const router = readRouter(choices, known, report);
  const tiers = chooseTiers(choices, firstModels(models), hasOwn ? router : {}, known, report);
  return (
    tiers && {
      provider: first.provider,
      providers: nameModels(providers, tiers),
      tiers,
      router,
      customModels: custom,
      modelPrefixes: prefixes,
      modelsFile: modelsFile.file,
    }
  );
}
