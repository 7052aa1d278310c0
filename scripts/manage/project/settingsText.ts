import { isObject, type Json, type JsonObject } from '../../../src/core/json.ts';

/** Where a value stands in a settings file: its key, or its key within `env`. */
export interface Place {
  readonly key: string;
  readonly within?: 'env';
}

/** `env.NAME` or `key`, as messages show it. */
export function placeName({ key, within }: Place): string {
  return within === undefined ? key : `${within}.${key}`;
}

/** The places that settings fill. */
export function placesOf(settings: JsonObject): Place[] {
  return Object.entries(settings).flatMap(([key, value]) =>
    key === 'env' && isObject(value) ? Object.keys(value).map((name) => ({ key: name, within: key })) : [{ key }],
  );
}

export function valueAt(settings: JsonObject, { key, within }: Place): Json | undefined {
  if (within === undefined) return settings[key];
  const part = settings[within];
  return isObject(part) ? part[key] : undefined;
}

/** The settings with another value at a place; undefined takes it out, and an `env` that is then empty with it. */
export function withValue(settings: JsonObject, { key, within }: Place, value: Json | undefined): JsonObject {
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
