import type { ProviderConfig } from '../config/config.ts';
import { fingerprint } from '../config/identity.ts';

/** Equal for equal settings of a provider, keys included, also when they come from two readings of the configuration. */
export function identifyProvider(provider: ProviderConfig): string {
  return fingerprint({ ...provider, preset: provider.preset.name });
}
