import type { ErrorCode } from '../core/errors.ts';
import type { QuirkSettings } from '../quirks/settings.ts';

/** US dollars per million tokens. */
export interface Prices {
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
}

export interface ModelFacts {
  /** Tokens. */
  readonly contextWindow?: number;
  /** Tokens; the cap that is sent, which may be below what the vendor allows. */
  readonly maxOutput?: number;
  readonly vision?: boolean;
  readonly prices?: Prices;
  readonly quirks?: Partial<QuirkSettings>;
}

export interface Tiers {
  readonly big: string;
  readonly middle: string;
  readonly small: string;
}

/** Everything known about a provider, so that a user picks a name and pastes a key. Data only. */
export interface Preset {
  /** Value of PROVIDER, and the tag on what travels back to this provider (R135). */
  readonly name: string;
  /** Other values of PROVIDER that mean this provider. */
  readonly otherNames?: readonly string[];
  readonly title: string;
  /** `chat` speaks OpenAI's chat completions over HTTP; `demo` is answered inside the process. */
  readonly protocol: 'chat' | 'demo';
  /** Without a trailing slash; `/chat/completions` is appended. Empty when the user must give it. */
  readonly baseUrl: string;
  /** Addresses for other regions, by the value of REGION; keys usually belong to one region. */
  readonly regions?: Readonly<Record<string, string>>;
  /** Host names by which the provider is recognised when PROVIDER is absent. */
  readonly hosts: readonly string[];
  /** Other names under which users keep this provider's key; OPENAI_API_KEY always works. */
  readonly keyNames: readonly string[];
  /** Port of the example env file. */
  readonly port?: number;
  /** Undefined when the user must name the models. */
  readonly tiers?: Tiers;
  readonly models: Readonly<Record<string, ModelFacts>>;
  readonly quirks: Partial<QuirkSettings>;
  /** What the provider's own error codes mean, where status and words do not tell. */
  readonly errorCodes?: Readonly<Record<string, ErrorCode>>;
  readonly links: { readonly keys?: string; readonly docs?: string };
  /** What a user of this provider should know before the first start, one sentence each. */
  readonly notes?: readonly string[];
  /** Day on which the facts were checked, YYYY-MM-DD. */
  readonly checked: string;
}
