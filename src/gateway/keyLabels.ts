import type { ProviderKey } from '../config/config.ts';

/** How a key is called where several of a provider are told apart: by its variable, and by its place where that holds more. */
export function keyLabel(keys: readonly ProviderKey[], key: ProviderKey): string {
  const alike = keys.filter(({ variable }) => variable === key.variable);
  return alike.length === 1 ? key.variable : `${key.variable} #${alike.indexOf(key) + 1}`;
}
