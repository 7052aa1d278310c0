import { isFamilyName, keyOfName } from './keyGroups.ts';
import { keyRow } from './keyTable.ts';
import { namesOthers } from './noProxyList.ts';
import type { EnvEntry } from './parseEnvText.ts';

/** The process's environment, as far as the caller passes it on. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Variable {
  readonly key: string;
  readonly value: string;
  readonly source: 'file' | 'environment';
  /** Line of the file. */
  readonly line?: number;
  /** Whether `${...}` in it stands for itself. */
  readonly literal: boolean;
}

export type Variables = ReadonlyMap<string, Variable>;

/** Whether a variable of the environment counts, for an env file with these entries. */
function counts(name: string, value: string, entries: ReadonlyMap<string, EnvEntry>): boolean {
  const key = keyOfName.get(name);
  if (key === undefined) return isFamilyName(name);
  // `./manage env` sets one in the shell, which must not take the place of the file's own.
  if (key === 'NO_PROXY' && !namesOthers(value)) return false;
  const rule = keyRow(key).environment;
  if (rule === 'never') return !name.startsWith(key);
  if (rule === undefined) return true;
  return ![...entries.keys()].some((one) => rule.unless.includes(keyOfName.get(one) ?? ''));
}

/**
 * The variables of an instance: those of its file, and over them those of the environment whose names are ours (design
 * decision 3). What says whose key goes where only fills a gap: a shell's OPENAI_API_KEY is usually OpenAI's own
 * and must not travel to the provider of this file, nor this file's key to a shell's OPENAI_BASE_URL. A shell's
 * ANTHROPIC_API_KEY never counts, as it is Claude Code's, and REGION and PROTOCOL neither, as anybody's may be called so.
 * Variables of the environment that are empty, or a NO_PROXY that names this machine alone, are as good as none.
 */
export function collectVariables(entries: ReadonlyMap<string, EnvEntry>, environment: Environment): Variables {
  const variables = new Map<string, Variable>();
  for (const [key, entry] of entries) variables.set(key, { ...entry, source: 'file' });
  for (const [key, value] of Object.entries(environment)) {
    if (value === undefined || value === '' || !counts(key, value, entries)) continue;
    variables.set(key, { key, value, source: 'environment', literal: true });
  }
  return variables;
}

/** Gives the value of a variable that another file refers to: of the env file, else of the environment. An empty one counts as none. */
export type LookUp = (name: string) => string | undefined;

export function createLookUp(variables: Variables, environment: Environment): LookUp {
  return (name) => {
    const value = variables.get(name)?.value ?? environment[name];
    return value === '' ? undefined : value;
  };
}
