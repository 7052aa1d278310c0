import type { Config } from './config.ts';
import { modelSettings } from './modelSettings.ts';

/** The client ends a request whose answer has not begun by then; the proxy begins it long before, so this only needs to be large. */
const CLIENT_TIMEOUT_MS = 3_000_000;

const ANY_ADDRESS = new Set(['0.0.0.0', '::']);

/** Where a client on this machine finds the instance. */
export function clientBaseUrl(config: Pick<Config, 'host' | 'port'>): string {
  const host = ANY_ADDRESS.has(config.host) ? '127.0.0.1' : config.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${config.port}`;
}

/**
 * The variables with which Claude Code uses an instance as it should (R513): its address, its models by their own names, and the
 * model's true limits, because the client takes every model for one with a million tokens. The token is the caller's to add.
 */
export function clientEnvironment(config: Config): Record<string, string> {
  const { big, middle, small } = config.tiers;
  const { contextWindow, maxOutput } = modelSettings(config.provider, big);
  return {
    ANTHROPIC_BASE_URL: clientBaseUrl(config),
    // Beside a token, a key of Anthropic's would make the client warn, or be sent to the provider.
    ANTHROPIC_API_KEY: '',
    ANTHROPIC_MODEL: big,
    ANTHROPIC_DEFAULT_OPUS_MODEL: big,
    ANTHROPIC_DEFAULT_SONNET_MODEL: middle,
    ANTHROPIC_DEFAULT_HAIKU_MODEL: small,
    ...(contextWindow === undefined ? {} : { CLAUDE_CODE_AUTO_COMPACT_WINDOW: String(contextWindow) }),
    ...(maxOutput === undefined ? {} : { CLAUDE_CODE_MAX_OUTPUT_TOKENS: String(maxOutput) }),
    API_TIMEOUT_MS: String(CLIENT_TIMEOUT_MS),
    CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY: '1',
  };
}
