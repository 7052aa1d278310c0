import { customId } from '../core/modelName.ts';
import { findPreset } from '../providers/index.ts';
import { presetOfKeys } from './choosePreset.ts';
import type { Choices } from './chooseValues.ts';
import type { ModelEntry } from './modelsFile/readEntries.ts';
import type { Variables } from './variables.ts';

/** The entry of the models file that an instance lives by, and the choices with its address for the instance's own. */
export interface Borrowed {
  readonly choices: Choices;
  readonly entry?: ModelEntry;
}

/** Whether nothing in the env file says where the provider is. */
function lacksAddress(choices: Choices, variables: Variables, used: ReadonlySet<string>): boolean {
  if (choices.has('OPENAI_BASE_URL')) return false;
  const named = choices.get('PROVIDER');
  if (named === undefined) return presetOfKeys(variables, used) === undefined;
  const preset = findPreset(named.value);
  return preset?.baseUrl === '' && preset.protocol !== 'demo';
}

/**
 * An instance without an address of its own, whose big model stands in the models file, lives at that model's server: in the
 * earlier systems PREFERRED_PROVIDER=custom and BIG_MODEL, or ROUTER_DEFAULT, were all that a file needed.
 */
export function borrowAddress(
  choices: Choices,
  entries: readonly ModelEntry[],
  variables: Variables,
  used: ReadonlySet<string>,
): Borrowed {
  const big = choices.get('BIG_MODEL') ?? choices.get('ROUTER_DEFAULT');
  if (big === undefined || !lacksAddress(choices, variables, used)) return { choices };
  const entry = entries.find(({ id }) => customId(id) === customId(big.value));
  const address = entry?.values.api_base;
  if (entry === undefined || address === undefined) return { choices };
  const borrowed = new Map(choices).set('OPENAI_BASE_URL', { ...big, value: address });
  borrowed.delete('PROVIDER');
  return { choices: borrowed, entry };
}
