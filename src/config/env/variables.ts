import { isNearMiss, nearestName } from '../../core/text.ts';
import { presets } from '../../providers/index.ts';
import { environmentName, quirkTable } from '../../quirks/settings.ts';
import type { Diagnostics } from '../diagnostics.ts';
import type { EnvEntry } from './parse.ts';
import { type SettingName, settingNames, settingRow } from './settings.ts';

/** `OPENAI_API_KEY` -> `OPENAI_API_KEY_FILE`, the variable that names a file with the secret. */
export function secretFileName(name: string): string {
  return `${name}_FILE`;
}

/** Names under which providers themselves keep their keys; each means OPENAI_API_KEY. */
export const providerKeyNames: readonly string[] = [...new Set(presets.flatMap((preset) => preset.keyNames))];

/** Every name whose value is the setting's value, its own first. */
export function directNames(setting: SettingName): readonly string[] {
  return [setting, ...(settingRow(setting).aliases ?? []), ...(setting === 'OPENAI_API_KEY' ? providerKeyNames : [])];
}

/** Every name that gives a value to the setting, also by way of a file. */
function namesOfSetting(setting: SettingName): readonly string[] {
  const names = directNames(setting);
  return mayBeInFile(setting) ? [...names, ...names.map(secretFileName)] : names;
}

/** Whether the value may stand in a file that `<NAME>_FILE` names. */
export function mayBeInFile(setting: SettingName): boolean {
  const { secret, mayBeInFile: isFile } = settingRow(setting);
  return secret === true || isFile === true;
}

/** Which setting a name gives a value to. */
export const settingOfName: ReadonlyMap<string, SettingName> = new Map(
  settingNames.flatMap((setting) => namesOfSetting(setting).map((name) => [name, setting] as const)),
);

/** CUSTOM_HEADER_* and QUIRK_* are families of names without an end. */
export function isFamilyName(name: string): boolean {
  return name.startsWith('CUSTOM_HEADER_') || name.startsWith('QUIRK_');
}

/** The names of this machine. A network proxy is never asked for them, because it would take them for its own. */
const THIS_MACHINE = ['127.0.0.1', 'localhost', '::1'];

function othersIn(list: string): readonly string[] {
  const names = list.split(/[\s,]+/).filter((name) => name !== '' && !THIS_MACHINE.includes(name));
  return [...new Set(names)];
}

/** A list of hosts that need no network proxy, each once, and this machine at its end, whether and where it stood there before. */
export function withThisMachine(list: string): string {
  return [...othersIn(list), ...THIS_MACHINE].join(',');
}

/** Whether a list names other hosts than this machine, which is always excepted. */
function namesOthers(list: string): boolean {
  return othersIn(list).length > 0;
}

/** The process's environment, as far as the caller passes it on. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Variable {
  readonly name: string;
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
  const setting = settingOfName.get(name);
  if (setting === undefined) return isFamilyName(name);
  // `./manage env` sets one in the shell, which must not take the place of the file's own.
  if (setting === 'NO_PROXY' && !namesOthers(value)) return false;
  const rule = settingRow(setting).environment;
  if (rule === 'never') return !name.startsWith(setting);
  if (rule === undefined) return true;
  return ![...entries.keys()].some((one) => rule.unless.includes(settingOfName.get(one) ?? ''));
}

/**
 * The variables of an instance: those of its file, and over them those of the environment whose names are ours
 * (decision 0002). What says whose key goes where only fills a gap: a shell's OPENAI_API_KEY is usually OpenAI's own
 * and must not travel to the provider of this file, nor this file's key to a shell's OPENAI_BASE_URL. A shell's
 * ANTHROPIC_API_KEY never counts, as it is Claude Code's, and REGION and PROTOCOL neither, as anybody's may be called so.
 * Variables of the environment that are empty, or a NO_PROXY that names this machine alone, are as good as none.
 */
export function collectVariables(entries: ReadonlyMap<string, EnvEntry>, environment: Environment): Variables {
  const variables = new Map<string, Variable>();
  for (const [name, entry] of entries) variables.set(name, { ...entry, source: 'file' });
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || value === '' || !counts(name, value, entries)) continue;
    variables.set(name, { name, value, source: 'environment', literal: true });
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

const REFERENCE = /\$\{([^}]*)(\}?)/g;
const NAME_AND_DEFAULT = /^([A-Za-z_]\w*)(?::-(.*))?$/s;

/** The names that a value refers to. */
export function referencesIn(value: string): readonly string[] {
  return [...value.matchAll(REFERENCE)].flatMap(([, inner = '']) => NAME_AND_DEFAULT.exec(inner)?.[1] ?? []);
}

/** A text with its references replaced, and what could not be. */
interface Replaced {
  readonly text: string;
  /** Names without a value and without a default. */
  readonly missing: readonly string[];
  /** Whether a reference has another form than `${NAME}` and `${NAME:-default}`. */
  readonly malformed: boolean;
}

/** Replaces `${NAME}` and `${NAME:-default}` anywhere inside a text; the default stands for a missing or empty value. */
export function replaceReferences(text: string, lookUp: (name: string) => string | undefined): Replaced {
  const missing: string[] = [];
  let malformed = false;
  const replaced = text.replaceAll(REFERENCE, (_reference, inner: string, end: string) => {
    const [, name, fallback] = NAME_AND_DEFAULT.exec(inner) ?? [];
    if (name === undefined || end === '') {
      malformed = true;
      return '';
    }
    const found = lookUp(name);
    if (fallback !== undefined) return found === undefined || found === '' ? fallback : found;
    if (found === undefined) missing.push(name);
    return found ?? '';
  });
  return { text: replaced, missing, malformed };
}

/**
 * Replaces the references inside the values: by the file's variable of that name, else by the environment's. A value that
 * names itself means the environment's. Missing names, circles and malformed references are problems of the line they
 * stand in.
 */
export function expandVariables(variables: Variables, environment: Environment, diagnostics: Diagnostics): Variables {
  const expanded = new Map<string, Variable>();

  function resolve(name: string, path: readonly Variable[]): string | undefined {
    const variable = variables.get(name);
    if (variable === undefined || path.at(-1) === variable) return environment[name];
    const start = path.indexOf(variable);
    if (start < 0) return expand(variable, path).value;
    const circle = [...path.slice(start), variable].map((one) => one.name).join(' -> ');
    diagnostics.error(
      variable,
      `values that refer to each other in a circle: ${circle}`,
      'Give one of them a value of its own.',
    );
    return '';
  }

  function expand(variable: Variable, path: readonly Variable[]): Variable {
    const known = expanded.get(variable.name);
    if (known !== undefined) return known;
    if (variable.literal) {
      expanded.set(variable.name, variable);
      return variable;
    }
    const here = [...path, variable];
    const { text, missing, malformed } = replaceReferences(variable.value, (name) => resolve(name, here));
    if (malformed)
      diagnostics.error(
        variable,
        `a reference that is not of the form \${NAME} or \${NAME:-default}`,
        'Write it so, or put the value in single quotes.',
      );
    for (const name of missing)
      diagnostics.error(
        variable,
        `\${${name}}, which is set neither here nor in the environment`,
        `Set ${name}, or write \${${name}:-default}.`,
      );
    const result = { ...variable, value: text };
    expanded.set(variable.name, result);
    return result;
  }

  for (const variable of variables.values()) expand(variable, []);
  return expanded;
}

/** Whether a variable is there to give a value: an empty one counts as not set. */
function hasValue(variable: Variable | undefined): variable is Variable {
  return variable !== undefined && variable.value.trim() !== '';
}

/**
 * The variable that counts among several names for one thing: one of the environment before one of the file, then the
 * earlier name. Another one of the same source with another value is a warning that says which is used.
 */
export function chooseVariable(
  names: readonly string[],
  variables: Variables,
  diagnostics: Diagnostics,
): Variable | undefined {
  const set = names.map((name) => variables.get(name)).filter(hasValue);
  const winner = set.find((variable) => variable.source === 'environment') ?? set[0];
  if (winner === undefined) return undefined;
  for (const other of set) {
    if (other.source === winner.source && other.value.trim() !== winner.value.trim())
      diagnostics.warning(
        other,
        `another value than that of ${winner.name}, which means the same`,
        `${winner.name} is used; remove one of them.`,
      );
  }
  return { ...winner, value: winner.value.trim() };
}

/** The variable that gives each setting its value; settings that nobody set are missing. */
export type Choices = ReadonlyMap<SettingName, Variable>;

/** Chooses for every setting but those that may stand in a file of their own, as secrets do. */
export function chooseValues(variables: Variables, diagnostics: Diagnostics): Choices {
  const choices = new Map<SettingName, Variable>();
  for (const setting of settingNames) {
    if (mayBeInFile(setting)) continue;
    const variable = chooseVariable(namesOfSetting(setting), variables, diagnostics);
    if (variable !== undefined) choices.set(setting, variable);
  }
  return choices;
}

const known = [...settingOfName.keys(), ...Object.keys(quirkTable).map(environmentName)];

/** The settings by the names that other programs have for them. */
const settingElsewhere: ReadonlyMap<string, SettingName> = new Map(
  settingNames.flatMap((setting) => (settingRow(setting).namesElsewhere ?? []).map((name) => [name, setting] as const)),
);

function choosesServer(name: string): boolean {
  const setting = settingOfName.get(name);
  return setting !== undefined && settingRow(setting).choosesServer === true;
}

const serverNames = [...settingOfName.keys()].filter(choosesServer);
/** Fewer first letters are those of too many words. */
const FEWEST_FIRST_LETTERS = 4;

/** The name of a setting that chooses the server, where a name that means nothing is most likely meant to be it. */
function misspeltServerName(name: string): string | undefined {
  const synonym = settingElsewhere.get(name);
  if (synonym !== undefined) return choosesServer(synonym) ? synonym : undefined;
  const nearest = nearestName(name, known);
  const isBegun = name.length >= FEWEST_FIRST_LETTERS && nearest?.startsWith(name.toUpperCase()) === true;
  if (isBegun && choosesServer(nearest)) return nearest;
  return serverNames.find((one) => isNearMiss(name, one));
}

/**
 * Reports names that mean nothing here, unless another value refers to them. Where most likely a setting is meant that chooses the
 * server, it is an error: without that setting requests, and the key with them, would go to another company.
 * @param used names that another file asks for
 */
export function reportUnknownNames(
  entries: ReadonlyMap<string, EnvEntry>,
  used: ReadonlySet<string>,
  diagnostics: Diagnostics,
): void {
  const referred = new Set([...used, ...[...entries.values()].flatMap((entry) => referencesIn(entry.value))]);
  for (const entry of entries.values()) {
    const { name } = entry;
    if (settingOfName.has(name) || isFamilyName(name) || referred.has(name)) continue;
    const server = misspeltServerName(name);
    if (server !== undefined) {
      const found = `a name that means nothing here, where ${server} chooses the server that gets the key`;
      diagnostics.error(entry, found, `Write ${server}=... or remove the line.`);
      continue;
    }
    const nearest = settingElsewhere.get(name) ?? nearestName(name, known);
    const hint = nearest === undefined ? 'See docs/ENVIRONMENT.md for the names.' : `Did you mean ${nearest}?`;
    diagnostics.warning(entry, 'a name that means nothing here', hint);
  }
}

/**
 * Warns of lines of the env file without effect where all providers stand in the providers file.
 * @param used names of variables that other files ask for
 */
export function warnOfUnusedSettings(variables: Variables, used: ReadonlySet<string>, diagnostics: Diagnostics): void {
  for (const variable of variables.values()) {
    const { name, value, source } = variable;
    if (source !== 'file' || value === '' || used.has(name)) continue;
    const setting = settingOfName.get(name);
    if ((setting !== undefined && settingRow(setting).ownProviderOnly === true) || isFamilyName(name))
      diagnostics.warning(
        variable,
        'a setting of the env file’s own provider, of which there is none beside a providers file without PROVIDER',
        'Set it in the providers file, or name the provider with PROVIDER.',
      );
  }
}
