import { Secret } from '../core/secret.ts';
import type { Preset } from '../providers/preset.ts';
import { isLoopback } from './clientToken.ts';
import type { ProviderKey } from './config.ts';
import { type FoundSecret, findSecret, type ReadSecretFile } from './findSecret.ts';
import { providerKeyNames } from './keyGroups.ts';
import { isPlaceholder } from './placeholder.ts';
import type { Report } from './report.ts';
import type { Variables } from './variables.ts';

const GENERAL_NAME = 'OPENAI_API_KEY';

/**
 * The provider's key: under the provider's own name for it before OPENAI_API_KEY, which in files of earlier systems
 * is OpenAI's. What an example had in its place counts as none.
 * @param used names of keys that the models file asks for
 */
export function findProviderKey(
  preset: Preset,
  variables: Variables,
  used: ReadonlySet<string>,
  readSecretFile: ReadSecretFile,
  report: Report,
): FoundSecret | undefined {
  for (const name of providerKeyNames) {
    const variable = variables.get(name);
    if (variable?.source === 'file' && variable.value !== '' && !preset.keyNames.includes(name) && !used.has(name))
      report.warning(
        variable,
        `a key that ${preset.name} has no use for`,
        `Remove it, or set PROVIDER to its provider.`,
      );
  }
  const found = findSecret([...preset.keyNames, GENERAL_NAME], variables, readSecretFile, report);
  if (found === undefined) return undefined;
  if (isPlaceholder(found.value)) {
    report.warning(
      found.variable,
      'a placeholder, which counts as no key',
      'Put your key here; or leave it empty, and the client’s own key is passed through.',
    );
    return undefined;
  }
  const { key, source } = found.variable;
  if (source === 'environment' && key === GENERAL_NAME && preset.keyNames.length > 0)
    report.warning(
      { key },
      `a key in the environment that goes to ${preset.name}`,
      `If it is not ${preset.name}’s, put a line ${GENERAL_NAME}= into the env file.`,
    );
  return found;
}

/** Whether a server does without a key: the built-in one, those that usually ask for none, and any on this machine. */
export function needsNoKey(preset: Preset, baseUrl: string): boolean {
  const host = URL.parse(baseUrl)?.hostname ?? '';
  return preset.protocol === 'demo' || preset.keyOptional === true || isLoopback(host.replace(/^\[(.*)\]$/, '$1'));
}

/** The key as the configuration holds it. Without one the client's own is used, where the provider needs any. */
export function providerKey(preset: Preset, found: FoundSecret | undefined): ProviderKey {
  if (preset.protocol === 'demo') return { source: 'none', variable: '' };
  if (found === undefined && preset.keyOptional === true) return { source: 'none', variable: GENERAL_NAME };
  if (found === undefined) return { source: 'client', variable: GENERAL_NAME };
  return { source: found.source, variable: found.variable.key, secret: new Secret(found.value) };
}
