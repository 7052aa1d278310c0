import { keepsLogin } from '../../../src/config/clientEnvironment.ts';
import type { Config } from '../../../src/config/config.ts';

/** How the client proves who it is. */
export interface Credentials {
  readonly variables: Readonly<Record<string, string>>;
  /** The instance passes the client's key on to the provider, and there is none. */
  readonly isMissing: boolean;
}

/**
 * The variables with the client's credentials for an instance: the instance's token, and where it has no key of the provider,
 * the one that the user's shell holds. A key for Anthropic is never handed to another provider.
 */
export function chooseCredentials(
  config: Config,
  environment: Readonly<Record<string, string | undefined>>,
): Credentials {
  const token = config.clientToken?.reveal();
  if (config.provider.key.source !== 'client') {
    return { variables: { ANTHROPIC_AUTH_TOKEN: token ?? 'unused' }, isMissing: false };
  }
  const key = environment['ANTHROPIC_AUTH_TOKEN'];
  const hasKey = key !== undefined && key !== '';
  return {
    variables: {
      ...(hasKey ? { ANTHROPIC_AUTH_TOKEN: key } : {}),
      // The bearer token is the provider's key, so that the instance's own token takes the other header.
      ...(token === undefined ? {} : { ANTHROPIC_CUSTOM_HEADERS: `x-api-key: ${token}` }),
    },
    isMissing: !hasKey && !keepsLogin(config),
  };
}
