import { Secret } from '../core/secret.ts';
import { foreignVendor } from '../providers/index.ts';
import type { Preset } from '../providers/preset.ts';
import type { ProviderConfig, ProviderKey } from './config.ts';
import type { Diagnostics, SourceLocation } from './diagnostics.ts';
import { type SettingName, settingNames } from './env/settings.ts';
import {
  chooseVariable,
  directNames,
  type Environment,
  mayBeInFile,
  providerKeyNames,
  secretFileName,
  type Variable,
  type Variables,
} from './env/variables.ts';
import { type ReadText, readErrorCode } from './files/companion.ts';
import { isLoopback, secret } from './parsers.ts';

export interface FoundSecret {
  readonly value: string;
  readonly source: Exclude<ProviderKey['source'], 'client' | 'none'>;
  /** The variable it came from, for problems. */
  readonly variable: Variable;
}

/** A file of which not even the name is shown, as it is often the secret itself. */
const FILE_OF_SECRET = 'a file (name not shown)';

/** A secret that stands under one of the names, or in a file that `<NAME>_FILE` names. */
export function findSecret(
  names: readonly string[],
  variables: Variables,
  readText: ReadText,
  diagnostics: Diagnostics,
): FoundSecret | undefined {
  const direct = chooseVariable(names, variables, diagnostics);
  const pointer = chooseVariable(names.map(secretFileName), variables, diagnostics);
  if (direct !== undefined) {
    if (pointer !== undefined)
      diagnostics.warning(
        pointer,
        `a file for what ${direct.name} already gives`,
        `${direct.name} is used; remove one of them.`,
      );
    return { value: direct.value, source: direct.source, variable: direct };
  }
  if (pointer === undefined) return undefined;
  try {
    const value = readText(pointer.value).trim();
    if (value !== '') return { value, source: 'secret file', variable: pointer };
    diagnostics.error(pointer, `${FILE_OF_SECRET}, which is empty`, 'Write the secret into it.');
  } catch (error) {
    diagnostics.error(
      pointer,
      `${FILE_OF_SECRET}, which cannot be read (${readErrorCode(error)})`,
      `Give the path of a readable file; the secret itself belongs into ${pointer.name.replace(/_FILE$/, '')}.`,
    );
  }
  return undefined;
}

const PLACEHOLDERS = [
  /^(?:sk-)?[*x.]{3,}$/i,
  /^(?:sk-)?<.*>$/,
  /^(?:sk-)?(?:my|your)[-_ ]/i,
  /^(?:sk-)?(?:change|replace)[-_]?me/i,
  /^(?:sk-)?(?:placeholder|todo)$/i,
];

const TRIVIAL_TOKENS = /^(?:any|any-value|dummy|dummy-key|test|secret|password|token|none)$/i;

/** Whether a key is what an example file had in its place, like `your-api-key-here` or `sk-xxx`. */
export function isPlaceholder(value: string): boolean {
  return PLACEHOLDERS.some((shape) => shape.test(value));
}

/** Whether a token protects nothing: a placeholder, or one of the first words that anybody tries. */
export function isTrivialToken(value: string): boolean {
  return isPlaceholder(value) || TRIVIAL_TOKENS.test(value);
}

const SHORTEST_PUBLIC_TOKEN = 24;

/** Checks the token that keeps others out: where they can reach the port it must be long, and not a word that anybody tries. */
export function checkClientToken(
  token: FoundSecret | undefined,
  host: { readonly name: string; readonly location: SourceLocation },
  keyIsPassedThrough: boolean,
  diagnostics: Diagnostics,
): void {
  const how = `Set at least ${SHORTEST_PUBLIC_TOKEN} random characters, for instance from: openssl rand -hex 24`;
  if (token === undefined) {
    if (!isLoopback(host.name))
      diagnostics.error(
        host.location,
        `"${host.name}", an address that others can reach, without ANTHROPIC_API_KEY`,
        `Set HOST=127.0.0.1, or ANTHROPIC_API_KEY. ${how}`,
      );
    return;
  }
  if (isTrivialToken(token.value)) {
    // On this machine alone none is needed, so that one that protects nothing does no harm.
    const report = isLoopback(host.name) ? diagnostics.warning : diagnostics.error;
    report(token.variable, 'a placeholder or a word that anybody would try', `${how}; or leave it empty.`);
  } else if (!isLoopback(host.name) && token.value.length < SHORTEST_PUBLIC_TOKEN)
    diagnostics.error(
      token.variable,
      `a token of ${token.value.length} characters on an address that others can reach`,
      how,
    );
  if (keyIsPassedThrough)
    diagnostics.warning(
      token.variable,
      'a token for the clients, but no provider key',
      'Set OPENAI_API_KEY; else each client must send the token and a provider key of its own.',
    );
}

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
  readText: ReadText,
  diagnostics: Diagnostics,
): FoundSecret | undefined {
  for (const name of providerKeyNames) {
    const variable = variables.get(name);
    if (variable?.source === 'file' && variable.value !== '' && !preset.keyNames.includes(name) && !used.has(name))
      diagnostics.warning(
        variable,
        `a key that ${preset.name} has no use for`,
        `Write it as ${preset.keyNames[0] ?? GENERAL_NAME}=... if it is the key of ${preset.name}; else remove it, or set PROVIDER to its provider.`,
      );
  }
  const found = findSecret([...preset.keyNames, GENERAL_NAME], variables, readText, diagnostics);
  if (found === undefined) return undefined;
  if (isPlaceholder(found.value)) {
    diagnostics.warning(
      found.variable,
      'a placeholder, which counts as no key',
      'Put your key here; or leave it empty, and the key that Claude Code sends is used.',
    );
    return undefined;
  }
  const { name, source } = found.variable;
  if (source === 'environment' && name === GENERAL_NAME && preset.keyNames.length > 0)
    diagnostics.warning(
      { name, source },
      `a key in the environment that goes to ${preset.name}`,
      `If it is not ${preset.name}’s, put a line ${GENERAL_NAME}= into the env file.`,
    );
  return found;
}

/** What is written for each setting that may stand in a file of its own, but for the provider's key. */
export function findSecrets(
  variables: Variables,
  readText: ReadText,
  diagnostics: Diagnostics,
): Partial<Record<SettingName, FoundSecret>> {
  const found: Partial<Record<SettingName, FoundSecret>> = {};
  for (const setting of settingNames) {
    if (setting === GENERAL_NAME || !mayBeInFile(setting)) continue;
    const secret = findSecret(directNames(setting), variables, readText, diagnostics);
    if (secret !== undefined) found[setting] = secret;
  }
  return found;
}

/** Whether a server needs no key: the built-in one, those that usually ask for none, and any on this machine. */
export function needsNoKey(preset: Preset, baseUrl: string): boolean {
  return preset.protocol === 'demo' || preset.keyOptional === true || isLoopbackAddress(baseUrl);
}

/** Whether the server of an address is on this machine. */
export function isLoopbackAddress(address: string): boolean {
  const host = URL.parse(address)?.hostname ?? '';
  return isLoopback(host.replace(/^\[(.*)\]$/, '$1'));
}

/** A server that is given a key, and where it is written. */
export interface ServerWithKeys {
  readonly provider: ProviderConfig;
  readonly location: SourceLocation;
}

/** Warns of keys that are another vendor's by their beginning: most likely pasted at the wrong place, they would go to a stranger. */
export function warnOfForeignKeys(
  servers: readonly ServerWithKeys[],
  variables: Variables,
  diagnostics: Diagnostics,
): void {
  const reported = new Set<string>();
  for (const { provider, location } of servers) {
    const { preset, baseUrl, key, moreKeys = [] } = provider;
    if (needsNoKey(preset, baseUrl)) continue;
    for (const { secret: value, variable } of [key, ...moreKeys]) {
      const vendor = value && foreignVendor(value.reveal(), preset, baseUrl);
      const host = URL.parse(baseUrl)?.host ?? '';
      if (vendor === undefined || reported.has(`${variable} ${host}`)) continue;
      reported.add(`${variable} ${host}`);
      diagnostics.warning(
        variables.get(variable) ?? location,
        `a key that begins like those of ${vendor}, and goes to ${host}`,
        `Put the key of ${preset.name} here, or choose the provider of this key with PROVIDER or OPENAI_BASE_URL.`,
      );
    }
  }
}

/** The key as the configuration holds it. Without one the client's own is used, where the provider needs any. */
export function providerKey(preset: Preset, found: FoundSecret | undefined): ProviderKey {
  if (preset.protocol === 'demo') return { source: 'none', variable: '' };
  if (found === undefined && preset.keyOptional === true) return { source: 'none', variable: GENERAL_NAME };
  if (found === undefined) return { source: 'client', variable: preset.keyNames[0] ?? GENERAL_NAME };
  return ownKey(found);
}

/** A key of the instance's own as the configuration holds it. */
export function ownKey({ source, variable, value }: FoundSecret): ProviderKey {
  return { source, variable: variable.name, secret: new Secret(value) };
}

/** The key that stands under the name an entry gives; undefined when there is none. */
export type FindNamedKey = (name: string) => FoundSecret | undefined;

/**
 * Looks keys up by the names that entries give, in the env file, then in the environment, where any name counts because the
 * models file asks for it. Each name is looked up, and what is wrong with it is reported, once.
 */
export function createNamedKeys(
  variables: Variables,
  environment: Environment,
  readText: ReadText,
  diagnostics: Diagnostics,
): FindNamedKey {
  const known = new Map<string, FoundSecret | undefined>();

  function find(name: string): FoundSecret | undefined {
    const named = new Map<string, Variable>();
    for (const one of [name, secretFileName(name)]) {
      const value = environment[one];
      const variable =
        variables.get(one) ??
        (value === undefined ? undefined : ({ name: one, value, source: 'environment', literal: true } as const));
      if (variable !== undefined) named.set(one, variable);
    }
    const found = findSecret([name], named, readText, diagnostics);
    if (found === undefined) return undefined;
    if (isPlaceholder(found.value)) {
      diagnostics.warning(found.variable, 'a placeholder, which counts as no key', 'Put your key here.');
      return undefined;
    }
    if (secret.parse(found.value) !== undefined) return found;
    diagnostics.error(found.variable, `a value of ${found.value.length} characters (not shown)`, `Set ${secret.form}.`);
    return undefined;
  }

  return (name) => {
    if (!known.has(name)) known.set(name, find(name));
    return known.get(name);
  };
}
