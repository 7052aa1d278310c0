import type { Config } from '../config/config.ts';
import { endpointOf, type ModelEndpoint } from '../config/endpointOf.ts';
import { modelSettings } from '../config/modelSettings.ts';
import { composeRepairs } from '../quirks/compose.ts';
import type { QuirkSettings } from '../quirks/settings.ts';
import type { Target } from '../translate/target.ts';

/** Models come from clients as well, so that their number is bounded. */
const MAX_TARGETS = 200;

/** What requests are translated for, one per model and made once, as composing repairs costs more than using them. */
export class Targets {
  readonly #config: Config;
  readonly #known = new Map<string, Target>();

  constructor(config: Config) {
    this.#config = config;
  }

  get(model: string): Target {
    const known = this.#known.get(model);
    if (known !== undefined) return known;
    const endpoint = endpointOf(this.#config, model);
    return this.#keep(model, endpoint, modelSettings(endpoint.provider, endpoint.model));
  }

  /** Settings that a provider's refusal has taught, for the life of the process (R413). */
  learn(model: string, settings: Partial<QuirkSettings>): Target {
    return this.#keep(model, endpointOf(this.#config, model), { ...this.get(model).settings, ...settings });
  }

  #keep(name: string, { provider, model }: ModelEndpoint, settings: QuirkSettings): Target {
    const { maxTokens, minTokens } = this.#config.limits;
    const target: Target = {
      provider: provider.preset.name,
      model,
      settings,
      ...(maxTokens === undefined ? {} : { maxTokensLimit: maxTokens }),
      ...(minTokens === undefined ? {} : { minTokensLimit: minTokens }),
      repairs: composeRepairs(settings),
    };
    if (this.#known.size >= MAX_TARGETS) this.#known.clear();
    this.#known.set(name, target);
    return target;
  }
}
