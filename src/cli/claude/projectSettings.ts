import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { Secret } from '../../core/secret.ts';
import { terminalSafe } from '../../core/text.ts';
import { OWNER_ONLY, replaceFile } from '../envs/envFiles.ts';
import { Failure } from '../exitCodes.ts';

const PERMISSIONS = 0o777;

/** The file of a project's own settings, which Claude Code keeps out of git. */
export function projectFile(directory: string): string {
  return join(directory, '.claude', 'settings.local.json');
}

/** Its text; undefined when there is none. */
export function readProjectFile(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new Failure(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** @throws Failure when the text is not a JSON object, which is then left as it is. */
export function parseSettings(file: string, text: string | undefined): JsonObject {
  if (text === undefined || text.trim() === '') return {};
  try {
    const settings: unknown = JSON.parse(text);
    if (isObject(settings)) return settings;
  } catch (error) {
    throw new Failure(`${file} is not JSON (${(error as Error).message}); repair it first, nothing is changed`);
  }
  throw new Failure(`${file} is not a JSON object; repair it first, nothing is changed`);
}

/** Puts the text in place in one step, with the mode that the file has; a new one is for the user only. */
export function writeProjectFile(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const mode = statSync(file, { throwIfNoEntry: false })?.mode;
  const target = mode === undefined ? file : realpathSync(file);
  replaceFile(target, text, mode === undefined ? OWNER_ONLY : mode & PERMISSIONS);
}

/** What `use` has done to a project, so that `unuse` can take it back. */
export interface ProjectRecord {
  readonly file: string;
  readonly instance: string;
  /** Text before; null when there was no file. */
  readonly original: string | null;
  /** Text after. */
  readonly written: string;
  /** The part of it that is ours. */
  readonly settings: JsonObject;
  /** Whether there was no `.claude` folder. */
  readonly madeFolder: boolean;
}

function recordPath(root: string, file: string): string {
  const name = createHash('sha256').update(file).digest('hex').slice(0, 16);
  return join(root, 'state', 'projects', `${name}.json`);
}

/** The record of a project's file; undefined when nothing of ours is in it. */
export function readRecord(root: string, file: string): ProjectRecord | undefined {
  try {
    return JSON.parse(readFileSync(recordPath(root, file), 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Keeps the record, for the user's eyes only: the original may hold keys. */
export function writeRecord(root: string, record: ProjectRecord): void {
  const path = recordPath(root, record.file);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
  writeFileSync(path, `${JSON.stringify(record)}\n`, { mode: OWNER_ONLY });
}

export function removeRecord(root: string, file: string): void {
  rmSync(recordPath(root, file), { force: true });
}

/** Where a value stands in a settings file: its key, or its key within `env`. */
export interface SettingPath {
  readonly key: string;
  readonly within?: 'env';
}

/** `env.NAME` or `key`, as messages show it. */
export function formatPath({ key, within }: SettingPath): string {
  return within === undefined ? key : `${within}.${key}`;
}

/** The places that settings fill. */
export function settingPaths(settings: JsonObject): SettingPath[] {
  return Object.entries(settings).flatMap(([key, value]) =>
    key === 'env' && isObject(value) ? Object.keys(value).map((name) => ({ key: name, within: key })) : [{ key }],
  );
}

export function valueAt(settings: JsonObject, { key, within }: SettingPath): Json | undefined {
  if (within === undefined) return settings[key];
  const part = settings[within];
  return isObject(part) ? part[key] : undefined;
}

/** The settings with another value at a place; undefined takes it out, and an `env` that is then empty with it. */
export function withValue(settings: JsonObject, { key, within }: SettingPath, value: Json | undefined): JsonObject {
  if (within === undefined) return without({ ...settings, [key]: value }, value === undefined ? key : undefined);
  const part = isObject(settings[within]) ? settings[within] : {};
  const changed = without({ ...part, [key]: value }, value === undefined ? key : undefined);
  return without({ ...settings, [within]: changed }, Object.keys(changed).length === 0 ? within : undefined);
}

function without(settings: JsonObject, key: string | undefined): JsonObject {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => name !== key));
}

/** The settings as text, in the indentation, line ends and last line end of the text that they replace. */
export function formatSettings(settings: JsonObject, model: string): string {
  const indentation = /^(?<spaces>[ \t]+)"/m.exec(model)?.groups?.['spaces'] ?? '  ';
  const text = JSON.stringify(settings, undefined, indentation) + (model === '' || model.endsWith('\n') ? '\n' : '');
  return model.includes('\r\n') ? text.replaceAll('\n', '\r\n') : text;
}

/**
 * The project's file as it was before `use`: the very text when nobody else has changed it since, else what it now is with
 * our values replaced by those from before.
 * @param present Undefined when the file is gone.
 * @returns undefined when there should be no file
 * @throws Failure when somebody has changed our values.
 */
export function restoreText(record: ProjectRecord, present: string | undefined): string | undefined {
  const original = record.original ?? undefined;
  if (present === undefined || present === record.written) return original;
  const now = parseSettings(record.file, present);
  const before = parseSettings(record.file, original);
  const places = settingPaths(record.settings);
  const isKnown = (place: SettingPath) =>
    [record.settings, before].some((settings) => isDeepStrictEqual(valueAt(now, place), valueAt(settings, place)));
  const changed = places.filter((place) => !isKnown(place));
  if (changed.length > 0) {
    throw new Failure(
      `${record.file} was changed since by somebody else, in ${changed.map(formatPath).join(', ')}; nothing is changed.\n` +
        'Put them back to what they were before by hand, or take them out if they were not there; then ./manage unuse does the rest.',
    );
  }
  const settings = places.reduce<JsonObject>((all, place) => withValue(all, place, valueAt(before, place)), now);
  return Object.keys(settings).length === 0 && original === undefined ? undefined : formatSettings(settings, present);
}

const SECRET_NAME = /TOKEN$|KEY$|HEADERS$|SECRET|PASSWORD|apiKeyHelper/;

/** A value as it may be shown: what can be a key is masked. */
function show({ key }: SettingPath, value: Json | undefined): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  const isSecret = SECRET_NAME.test(key) && !['', 'unused'].includes(text);
  return terminalSafe(isSecret ? new Secret(text).masked : text);
}

/** What changes at the given places: `+ NAME = new`, `- NAME = old`; variables that are only switched off in one line. */
export function describeDifference(before: JsonObject, after: JsonObject, places: readonly SettingPath[]): string[] {
  const changed = places.filter((place) => !isDeepStrictEqual(valueAt(before, place), valueAt(after, place)));
  const isOff = (place: SettingPath) => valueAt(before, place) === undefined && valueAt(after, place) === '';
  const lines = changed
    .filter((place) => !isOff(place))
    .flatMap((place) =>
      [
        { sign: '-', value: valueAt(before, place) },
        { sign: '+', value: valueAt(after, place) },
      ]
        .filter(({ value }) => value !== undefined)
        .map(({ sign, value }) => `${sign} ${formatPath(place)} = ${show(place, value)}`),
    );
  const off = changed.filter(isOff).map(formatPath);
  return off.length === 0 ? lines : [...lines, `+ empty, so that they have no effect: ${off.join(', ')}`];
}
