import { type FoundSecret, findSecret, type ReadSecretFile } from './findSecret.ts';
import { secretFileName } from './keyGroups.ts';
import { secret } from './parsers.ts';
import { isPlaceholder } from './placeholder.ts';
import type { Report } from './report.ts';
import type { Environment, Variable, Variables } from './variables.ts';

/** The key that stands under the name an entry gives; undefined when there is none. */
export type FindNamedKey = (name: string) => FoundSecret | undefined;

/**
 * Looks keys up by the names that entries give, in the env file, then in the environment, where any name counts because the
 * models file asks for it. Each name is looked up, and what is wrong with it told, once.
 */
export function createNamedKeys(
  variables: Variables,
  environment: Environment,
  readSecretFile: ReadSecretFile,
  report: Report,
): FindNamedKey {
  const known = new Map<string, FoundSecret | undefined>();

  function find(name: string): FoundSecret | undefined {
    const named = new Map<string, Variable>();
    for (const key of [name, secretFileName(name)]) {
      const value = environment[key];
      const variable =
        variables.get(key) ??
        (value === undefined ? undefined : ({ key, value, source: 'environment', literal: true } as const));
      if (variable !== undefined) named.set(key, variable);
    }
    const found = findSecret([name], named, readSecretFile, report);
    if (found === undefined) return undefined;
    if (isPlaceholder(found.value)) {
      report.warning(found.variable, 'a placeholder, which counts as no key', 'Put your key here.');
      return undefined;
    }
    if (secret.parse(found.value) !== undefined) return found;
    report.error(found.variable, `a value of ${found.value.length} characters (not shown)`, `Set ${secret.form}.`);
    return undefined;
  }

  return (name) => {
    if (!known.has(name)) known.set(name, find(name));
    return known.get(name);
  };
}
