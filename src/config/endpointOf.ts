import { customId } from '../core/modelName.ts';
import type { Config, CustomModel, ProviderConfig } from './config.ts';

/** Where a model is served, and what its server calls it. */
export interface ModelEndpoint {
  readonly provider: ProviderConfig;
  readonly model: string;
  /** Present for a model of the models file. */
  readonly custom?: CustomModel;
}

/** Where the model is asked for that routing has named: at the server of its entry in the models file, else at the instance's provider. */
export function endpointOf(
  { provider, customModels }: Pick<Config, 'provider' | 'customModels'>,
  name: string,
): ModelEndpoint {
  const custom = customModels.get(customId(name));
  return custom === undefined ? { provider, model: name } : { provider: custom.provider, model: custom.model, custom };
}
