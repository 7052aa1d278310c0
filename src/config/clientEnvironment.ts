import { modelNames } from '../core/models.ts';
import { modelSettings } from '../providers/preset.ts';
import { CLIENT_TIMEOUT_MS, type Config, clientBaseUrl } from './config.ts';

/** The client's families of models: the variable of each, the alias that means it, and the tier that answers for it. */
const FAMILIES = [
  { family: 'OPUS', alias: 'opus', title: 'Opus', tier: 'big' },
  { family: 'SONNET', alias: 'sonnet', title: 'Sonnet', tier: 'middle' },
  { family: 'HAIKU', alias: 'haiku', title: 'Haiku', tier: 'small' },
  { family: 'FABLE', alias: 'fable', title: 'Fable', tier: 'big' },
] as const;

/** Those that the menu names: one for each tier. */
const SHOWN_FAMILIES = FAMILIES.filter(({ family }) => family !== 'FABLE');

/** In tokens: what the client is given for a model whose window nobody knows, as by itself it would take a million for granted. */
export const ASSUMED_WINDOW = 128_000;

/** In tokens: the client takes a smaller CLAUDE_CODE_AUTO_COMPACT_WINDOW for this one (seen with Claude Code 2.1.328). */
const LEAST_COMPACT_WINDOW = 100_000;

/** Whether what the client sends as its credential goes on to the provider as it came, so that it must stay as it is. */
export function forwardsCredentials({ provider }: Config): boolean {
  return provider.preset.protocol === 'anthropic' && provider.key.source === 'client';
}

/** Whether the client goes on with its own login for Anthropic, to which it is passed on. */
export function keepsLogin(config: Config): boolean {
  return forwardsCredentials(config) && config.provider.preset.servesClaude === true;
}

/** The window of a model in tokens; undefined when neither the provider's preset nor the user says it. */
export function contextWindowOf(config: Config, name: string): number | undefined {
  const { provider, model } = config.modelRefs.of(name);
  return modelSettings(provider, model).contextWindow;
}

function describeModel(config: Config, name: string): string {
  const { provider } = config.modelRefs.of(name);
  const window = contextWindowOf(config, name);
  const size = `${Math.round((window ?? ASSUMED_WINDOW) / 1000)}k`;
  return window === undefined
    ? `${provider.preset.title}, context not known, ${size} tokens assumed`
    : `${provider.preset.title}, ${size} tokens of context`;
}

/** A row of the client's `/model` menu, in the form of its setting `modelPicker`. */
export interface ModelRow {
  /** What is asked for when the row is chosen, and kept by the client as the user's default. */
  readonly model: string;
  readonly label: string;
  readonly description: string;
}

/**
 * The models of an instance, each once: those of the tiers by the client's own aliases, which mean something in other sessions, too,
 * then those that are in no tier by their names. Empty where the client knows the models better.
 */
export function modelRows(config: Config): readonly ModelRow[] {
  if (config.provider.preset.servesClaude === true) return [];
  const { ofTiers, others } = modelNames(config);
  const rowsOfTiers = ofTiers.flatMap((name) => {
    const families = SHOWN_FAMILIES.filter(({ tier }) => config.tiers[tier] === name);
    const label = `${families.map(({ title }) => title).join(', ')}: ${config.modelRefs.of(name).model}`;
    return families.slice(0, 1).map(({ alias }) => ({ model: alias, label, description: describeModel(config, name) }));
  });
  return [
    ...rowsOfTiers,
    ...others.map((name) => ({ model: name, label: name, description: describeModel(config, name) })),
  ];
}

/** The names by which a user may choose a model of the instance in the client, the aliases of all families among them. */
export function pickableModels(config: Config): readonly string[] {
  const rows = modelRows(config).map(({ model }) => model);
  return rows.length === 0 ? [] : [...FAMILIES.map(({ alias }) => alias), ...rows];
}

/**
 * The models by their own names, and the big one's true limits; Claude's own the client knows better. The model to begin with is
 * named by its alias: by its own name the menu would list it a second time, and without one as a model of a million tokens.
 */
function modelVariables(config: Config): Record<string, string> {
  if (config.provider.preset.servesClaude === true) return {};
  const { provider, model } = config.modelRefs.of(config.tiers.big);
  const { contextWindow, maxOutput } = modelSettings(provider, model);
  const families = FAMILIES.flatMap(({ family, tier }) => {
    const variable = `ANTHROPIC_DEFAULT_${family}_MODEL`;
    const name = config.tiers[tier];
    return [
      [variable, name],
      [`${variable}_NAME`, `${config.modelRefs.of(name).model} (${config.instance})`],
      [`${variable}_DESCRIPTION`, describeModel(config, name)],
    ] as const;
  });
  const window = contextWindow ?? ASSUMED_WINDOW;
  return {
    ANTHROPIC_MODEL: 'opus',
    ANTHROPIC_DEFAULT_MODEL: 'opus',
    ...Object.fromEntries(families),
    CLAUDE_CODE_MAX_CONTEXT_TOKENS: String(window),
    ...(window < LEAST_COMPACT_WINDOW ? {} : { CLAUDE_CODE_AUTO_COMPACT_WINDOW: String(window) }),
    ...(maxOutput === undefined ? {} : { CLAUDE_CODE_MAX_OUTPUT_TOKENS: String(maxOutput) }),
  };
}

/**
 * The variables with which Claude Code uses an instance as it should: its address, its models by their own names, and the
 * model's true limits, because the client takes every model for one with a million tokens. The token is the caller's to add.
 */
export function clientEnvironment(config: Config): Record<string, string> {
  return {
    ANTHROPIC_BASE_URL: clientBaseUrl(config),
    // Beside a token, a key of Anthropic's would make the client warn, or be sent to the provider.
    ...(forwardsCredentials(config) ? {} : { ANTHROPIC_API_KEY: '' }),
    ...modelVariables(config),
    API_TIMEOUT_MS: String(CLIENT_TIMEOUT_MS),
    // What the client finds by itself stands beside the tiers in its menu, so that it looks only where there is more than those.
    ...(modelNames(config).others.length === 0 ? {} : { CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY: '1' }),
  };
}

/** Other ways for the client to reach a model, which it prefers to an address of its own. */
const OTHER_SERVICES = [
  'CLAUDE_CODE_USE_BEDROCK',
  'CLAUDE_CODE_USE_VERTEX',
  'CLAUDE_CODE_USE_FOUNDRY',
  'CLAUDE_CODE_USE_ANTHROPIC_AWS',
  'CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD',
  'CLAUDE_CODE_USE_MANTLE',
  'CLAUDE_CODE_USE_GATEWAY',
  'CLAUDE_CODE_API_BASE_URL',
  'ANTHROPIC_UNIX_SOCKET',
];
const OTHER_CREDENTIALS = [
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'ANTHROPIC_CUSTOM_HEADERS',
  'ANTHROPIC_PROFILE',
  'ANTHROPIC_FEDERATION_RULE_ID',
  'CLAUDE_CODE_OAUTH_TOKEN',
];
const OTHER_MODELS = [
  'ANTHROPIC_DEFAULT_MODEL',
  'ANTHROPIC_SMALL_FAST_MODEL',
  'CLAUDE_CODE_SUBAGENT_MODEL',
  'CLAUDE_CODE_SUBAGENT_MODEL_FORCE',
  'CLAUDE_CODE_MAX_CONTEXT_TOKENS',
  'CLAUDE_CODE_AUTO_COMPACT_WINDOW',
  'CLAUDE_CODE_MAX_OUTPUT_TOKENS',
];

/**
 * Variables by which the client would go elsewhere, show other credentials or ask for other models than the instance's. An
 * empty text switches each of them off (seen with Claude Code 2.1.328). Whoever passes on the client's own login keeps it.
 */
export function contradictoryVariables(config: Config): readonly string[] {
  return [
    ...OTHER_SERVICES,
    'CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY',
    ...(keepsLogin(config) ? [] : OTHER_CREDENTIALS),
    ...(config.provider.preset.servesClaude === true ? [] : OTHER_MODELS),
  ];
}
