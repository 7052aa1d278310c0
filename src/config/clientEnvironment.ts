import type { Config } from './config.ts';
import { endpointOf } from './endpointOf.ts';
import { modelSettings } from './modelSettings.ts';

/** The client ends a request whose answer has not begun by then; the proxy begins it long before, so this only needs to be large. */
const CLIENT_TIMEOUT_MS = 3_000_000;

const ANY_ADDRESS = new Set(['0.0.0.0', '::']);

/** Where a client on this machine finds the instance. */
export function clientBaseUrl(config: Pick<Config, 'host' | 'port'>): string {
  const host = ANY_ADDRESS.has(config.host) ? '127.0.0.1' : config.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${config.port}`;
}

/** Whether what the client sends as its credential goes on to the provider as it came, so that it must stay as it is. */
export function forwardsCredentials({ provider }: Config): boolean {
  return provider.preset.protocol === 'anthropic' && provider.key.source === 'client';
}

/** The models by their own names, and the big one's true limits; Claude's own the client knows better. */
function modelVariables(config: Config): Record<string, string> {
  if (config.provider.preset.servesClaude === true) return {};
  const { big, middle, small } = config.tiers;
  const { provider, model } = endpointOf(config, big);
  const { contextWindow, maxOutput } = modelSettings(provider, model);
  return {
    ANTHROPIC_MODEL: big,
    ANTHROPIC_DEFAULT_OPUS_MODEL: big,
    ANTHROPIC_DEFAULT_SONNET_MODEL: middle,
    ANTHROPIC_DEFAULT_HAIKU_MODEL: small,
    ...(contextWindow === undefined ? {} : { CLAUDE_CODE_AUTO_COMPACT_WINDOW: String(contextWindow) }),
    ...(maxOutput === undefined ? {} : { CLAUDE_CODE_MAX_OUTPUT_TOKENS: String(maxOutput) }),
  };
}

/**
 * The variables with which Claude Code uses an instance as it should (R513): its address, its models by their own names, and the
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
