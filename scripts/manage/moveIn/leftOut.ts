import { isLoopback } from '../../../src/config/secrets.ts';
import { type Assignment, findValue } from './envLines.ts';

const NEVER_READ = 'it was never read there either';
const VERTEX = 'use a key of AI Studio instead';

/** Names of the earlier systems that have no counterpart, and why, or what to use instead. */
const REASONS: Readonly<Record<string, string>> = {
  RELOAD: 'not needed: a changed file holds within a second',
  REQUESTY_AUTO_CACHE: 'set QUIRK_EXTRA_BODY={"requesty":{"auto_cache":true}}',
  REQUESTY_API_KEY: 'the key belongs into OPENAI_API_KEY',
  LOG_FILE_PATH: 'logs are in logs/<instance>/; LOG_DIR moves them',
  DEFAULT_MAX_TOKENS: NEVER_READ,
  DEFAULT_MAX_INPUT_TOKENS: NEVER_READ,
  DEFAULT_INPUT_COST_PER_TOKEN: NEVER_READ,
  DEFAULT_OUTPUT_COST_PER_TOKEN: NEVER_READ,
  USE_VERTEX_AUTH: VERTEX,
  VERTEX_PROJECT: VERTEX,
  VERTEX_LOCATION: VERTEX,
};

const SHORTEST_PUBLIC_TOKEN = 24;

/** Why a line of an env file cannot stand here as it did there; undefined when it can. */
export function reasonToLeaveOut({ key, value }: Assignment, all: readonly Assignment[]): string | undefined {
  if (key === 'HOST' || key === 'CLAUDE_PROXY_HOST') {
    const token = findValue(all, 'ANTHROPIC_API_KEY', 'CLAUDE_PROXY_AUTH_KEY') ?? '';
    if (value === '' || isLoopback(value) || token.length >= SHORTEST_PUBLIC_TOKEN) return undefined;
    return `whoever reaches the port spends your key; to listen beyond this machine, set ANTHROPIC_API_KEY (${SHORTEST_PUBLIC_TOKEN} characters or more), too`;
  }
  if (key === 'ANTHROPIC_API_KEY' && value !== '' && all.some((one) => one.key === 'PREFERRED_PROVIDER')) {
    return 'there it was the key for Anthropic; here it is the token that clients must present';
  }
  return Object.hasOwn(REASONS, key) ? REASONS[key] : undefined;
}
