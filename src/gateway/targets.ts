import type { Config } from '../config/config.ts';
import { endpointOf, type ModelEndpoint, modelSettings } from '../config/modelRef.ts';
import { composeRepairs } from '../quirks/compose.ts';
import type { QuirkSettings } from '../quirks/settings.ts';
import type { Target } from '../translate/request/context.ts';
import { identifyProvider } from './identifyProvider.ts';

/** Models come from clients as well, so that their number is bounded. */
const MAX_TARGETS = 200;

interface KnownTarget {
  readonly target: Target;
  /** What a provider's refusals have taught beyond the configuration. */
  readonly learned: Partial<QuirkSettings>;
}

/** What requests are translated for, one per model and made once, as composing repairs costs more than using them. */
export class Targets {
  readonly #config: Config;
  readonly #known = new Map<string, KnownTarget>();

  constructor(config: Config) {
    this.#config = config;
  }

  get(model: string): Target {
    const known = this.#known.get(model);
    return known?.target ?? this.#keep(model, endpointOf(this.#config, model), {});
  }

  /** Settings that a provider's refusal has taught, for as long as the provider stays as it is configured (R413). */
  learn(model: string, settings: Partial<QuirkSettings>): Target {
    const learned = { ...this.#known.get(model)?.learned, ...settings };
    return this.#keep(model, endpointOf(this.#config, model), learned);
  }

  /** The targets of the next configuration, with what was learned of the providers that stay as they are. */
  renew(config: Config): Targets {
    const next = new Targets(config);
    for (const [name, { learned }] of this.#known) {
      if (Object.keys(learned).length === 0) continue;
      const endpoint = endpointOf(config, name);
      const before = endpointOf(this.#config, name);
      const isSame = identifyProvider(before.provider) === identifyProvider(endpoint.provider);
      if (isSame && before.model === endpoint.model) next.#keep(name, endpoint, learned);
    }
    return next;
  }

  #keep(name: string, { provider, model }: ModelEndpoint, learned: Partial<QuirkSettings>): Target {
    const settings = { ...modelSettings(provider, model), ...learned };
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
    this.#known.set(name, { target, learned });
    return target;
  }
}
