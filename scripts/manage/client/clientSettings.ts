import { clientEnvironment, contradictoryVariables, keepsLogin } from '../../../src/config/clientEnvironment.ts';
import type { Config } from '../../../src/config/config.ts';
import { withThisMachine } from '../../../src/config/env/variables.ts';
import { chooseCredentials } from './credentials.ts';
import { statusLineCommand } from './statusLineCommand.ts';

/** Settings of Claude Code, in the form of its settings files. */
export interface ClientSettings {
  readonly env: Readonly<Record<string, string>>;
  readonly statusLine: { readonly type: 'command'; readonly command: string; readonly refreshInterval: number };
  /** Empty switches a helper of the user's off, whose key the client would show beside the token. */
  readonly apiKeyHelper?: '';
}

/** In seconds. Figures reach the usage file a moment after the answer, so that the last of them needs a second look. */
const REFRESH_SECONDS = 5;

/**
 * The shell's exceptions and this machine: the client asks a network proxy for 127.0.0.1 too. Where the shell has two lists each
 * stays what it is, as programs differ in which they read.
 */
function withoutNetworkProxy(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const { NO_PROXY, no_proxy } = environment;
  return {
    NO_PROXY: withThisMachine(NO_PROXY || no_proxy || ''),
    no_proxy: withThisMachine(no_proxy || NO_PROXY || ''),
  };
}

/**
 * The settings with which Claude Code works through an instance and nothing else, whatever the user's own say: what goes
 * against them is set to nothing.
 * @param environment The user's shell, which may hold the provider's key and exceptions for a network proxy.
 */
export function clientSettings(
  root: string,
  config: Config,
  environment: Readonly<Record<string, string | undefined>>,
): ClientSettings {
  const { variables, isMissing } = chooseCredentials(config, environment);
  // The user gives the token elsewhere.
  const contradictory = contradictoryVariables(config).filter((name) => !isMissing || name !== 'ANTHROPIC_AUTH_TOKEN');
  return {
    env: {
      ...Object.fromEntries(contradictory.map((name) => [name, ''])),
      ...clientEnvironment(config),
      ...variables,
      ...withoutNetworkProxy(environment),
    },
    ...(keepsLogin(config) ? {} : { apiKeyHelper: '' }),
    statusLine: { type: 'command', command: statusLineCommand(root, config), refreshInterval: REFRESH_SECONDS },
  };
}
