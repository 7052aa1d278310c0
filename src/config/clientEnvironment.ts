import { modelSettings } from '../providers/preset.ts';
import type { Config } from './config.ts';
import { CLIENT_TIMEOUT_MS, clientBaseUrl } from './identity.ts';

/** The tier that answers for each of the client's families of models. */
const FAMILIES = [
  ['OPUS', 'big'],
  ['SONNET', 'middle'],
  ['HAIKU', 'small'],
  ['FABLE', 'big'],
] as const;

/** Whether what the client sends as its credential goes on to the provider as it came, so that it must stay as it is. */
export function forwardsCredentials({ provider }: Config): boolean {
  return provider.preset.protocol === 'anthropic' && provider.key.source === 'client';
}

/** Whether the client goes on with its own login for Anthropic, to which it is passed on. */
export function keepsLogin(config: Config): boolean {
  return forwardsCredentials(config) && config.provider.preset.servesClaude === true;
}

/** What the client's menu shows of the model of a tier. */
function describeModel(config: Config, name: string): { name: string; description: string } {
  const { provider, model } = config.modelRefs.of(name);
  const { contextWindow } = modelSettings(provider, model);
  const size = contextWindow === undefined ? '' : `, ${Math.round(contextWindow / 1000)}k tokens of context`;
  return { name: `${model} (${config.instance})`, description: `${provider.preset.title}${size}` };
}

/** The models by their own names, and the big one's true limits; Claude's own the client knows better. */
function modelVariables(config: Config): Record<string, string> {
  if (config.provider.preset.servesClaude === true) return {};
  const { provider, model } = config.modelRefs.of(config.tiers.big);
  const { contextWindow, maxOutput } = modelSettings(provider, model);
  const families = FAMILIES.flatMap(([family, tier]) => {
    const variable = `ANTHROPIC_DEFAULT_${family}_MODEL`;
    const { name, description } = describeModel(config, config.tiers[tier]);
    return [
      [variable, config.tiers[tier]],
      [`${variable}_NAME`, name],
      [`${variable}_DESCRIPTION`, description],
    ] as const;
  });
  return {
    ANTHROPIC_MODEL: config.tiers.big,
    ...Object.fromEntries(families),
    ...(contextWindow === undefined ? {} : { CLAUDE_CODE_AUTO_COMPACT_WINDOW: String(contextWindow) }),
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
    CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY: '1',
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
  'CLAUDE_CODE_MAX_OUTPUT_TOKENS',
];

/**
 * Variables by which the client would go elsewhere, show other credentials or ask for other models than the instance's. An
 * empty text switches each of them off (seen with Claude Code 2.1.328). Whoever passes on the client's own login keeps it.
 */
export function contradictoryVariables(config: Config): readonly string[] {
  return [
    ...OTHER_SERVICES,
    ...(keepsLogin(config) ? [] : OTHER_CREDENTIALS),
    ...(config.provider.preset.servesClaude === true ? [] : OTHER_MODELS),
  ];
}
