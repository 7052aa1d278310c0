import { presets } from '../providers/index.ts';
import { type KeyName, keyNames, keyRow } from './keyTable.ts';

/** `OPENAI_API_KEY` -> `OPENAI_API_KEY_FILE`, the variable that names a file with the secret. */
export function secretFileName(name: string): string {
  return `${name}_FILE`;
}

/** Names under which providers themselves keep their keys; each means OPENAI_API_KEY. */
export const providerKeyNames: readonly string[] = [...new Set(presets.flatMap((preset) => preset.keyNames))];

/** Every name whose value is the key's value, the key's own first. */
export function directNames(key: KeyName): readonly string[] {
  return [key, ...(keyRow(key).aliases ?? []), ...(key === 'OPENAI_API_KEY' ? providerKeyNames : [])];
}

/** Every name that gives a value to the key, also by way of a file. */
export function namesOf(key: KeyName): readonly string[] {
  const names = directNames(key);
  return keyRow(key).secret === true ? [...names, ...names.map(secretFileName)] : names;
}

/** Which key a name gives a value to. */
export const keyOfName: ReadonlyMap<string, KeyName> = new Map(
  keyNames.flatMap((key) => namesOf(key).map((name) => [name, key] as const)),
);

/** CUSTOM_HEADER_* and QUIRK_* are families of names without an end. */
export function isFamilyName(name: string): boolean {
  return name.startsWith('CUSTOM_HEADER_') || name.startsWith('QUIRK_');
}
