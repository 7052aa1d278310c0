import type { ProviderConfig, ProviderKey } from '../config/config.ts';
import { ApiError } from '../core/errors.ts';
import type { IncomingRequest, Services } from './services.ts';

/** The value of the header that carries the key to the provider: the instance's own key, else the client's (R152, design decision 14). */
export function authorizationFor(
  { config }: Services,
  { providerKey }: Pick<IncomingRequest, 'providerKey'>,
  { keyHeader }: ProviderConfig,
  key: ProviderKey,
): string | undefined {
  const scheme = keyHeader === 'authorization' ? 'Bearer ' : '';
  if (key.secret !== undefined) return scheme + key.secret.reveal();
  if (key.source !== 'client') return undefined;
  if (providerKey !== undefined) return scheme + providerKey;
  throw new ApiError(
    'missing_provider_key',
    `[${config.instance}] no key for the provider: put ${key.variable} into the env file, or send yours as ANTHROPIC_AUTH_TOKEN`,
  );
}
