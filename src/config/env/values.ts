import { resolve } from 'node:path';
import * as z from 'zod/mini';
import { type Diagnostics, showValue } from '../diagnostics.ts';
import type { FoundSecret } from '../secrets.ts';
import type { SettingRow } from './setting.ts';
import { type SettingFields, type SettingName, type SettingValues, settingNames, settingRow } from './settings.ts';
import type { Choices, Variable } from './variables.ts';

function valueType({ form, fallback }: SettingRow<unknown>): z.core.$ZodType {
  const parsed = z.pipe(
    z.string(),
    z.transform((input: string, context) => {
      const value = form.parse(input);
      if (value === undefined) context.issues.push({ code: 'custom', message: form.form, input });
      return value;
    }),
  );
  return fallback === undefined ? z.optional(parsed) : z.prefault(parsed, fallback);
}

const schema = z.object(Object.fromEntries(settingNames.map((name) => [name, valueType(settingRow(name))])));

type Texts = Partial<Record<SettingName, string>>;

/** A setting whose text is wrong, and the form it should have. */
interface WrongValue {
  readonly name: SettingName;
  readonly form: string;
}

/** Texts to values, with the defaults filled in; a setting whose text is wrong has its default. */
function parseValues(texts: Texts): { readonly values: SettingValues; readonly wrong: readonly WrongValue[] } {
  const result = schema.safeParse(texts);
  if (result.success) return { values: result.data as SettingValues, wrong: [] };
  const wrong = result.error.issues.map((issue) => ({
    name: String(issue.path[0]) as SettingName,
    form: issue.message,
  }));
  const valid = Object.entries(texts).filter(([name]) => wrong.every((one) => one.name !== name));
  return { values: schema.parse(Object.fromEntries(valid)) as SettingValues, wrong };
}

/** The checked values; a wrong one is reported and has its default, so that the checks after this can go on. */
export function readValues(
  choices: Choices,
  secrets: Partial<Record<SettingName, FoundSecret | undefined>>,
  diagnostics: Diagnostics,
): SettingValues {
  const texts: Texts = {};
  const locations: Partial<Record<SettingName, Variable>> = {};
  for (const [name, variable] of choices) [texts[name], locations[name]] = [variable.value, variable];
  for (const [name, found] of Object.entries(secrets) as [SettingName, FoundSecret | undefined][]) {
    if (found !== undefined) [texts[name], locations[name]] = [found.value, found.variable];
  }
  const { values, wrong } = parseValues(texts);
  for (const { name, form } of wrong) {
    const found = showValue(texts[name] ?? '', settingRow(name).secret === true);
    diagnostics.error(locations[name] ?? { name }, found, `Set ${form}.`);
  }
  return values;
}

/** A setting that the configuration takes over as it is, and where. */
export interface SettingField {
  readonly name: SettingName;
  readonly row: SettingRow<unknown>;
  /** Names of members, from the configuration inwards. */
  readonly path: readonly [string] | readonly [string, string];
}

/** The settings that the configuration takes over as they are, in the order of their table. */
export const settingFields: readonly SettingField[] = settingNames.flatMap((name) => {
  const row = settingRow(name);
  if (row.field === undefined) return [];
  const [outer = '', inner] = row.field.split('.');
  return [{ name, row, path: inner === undefined ? [outer] : [outer, inner] }];
});

type Members = Readonly<Record<string, unknown>>;

function withMember(members: Members, [outer, inner]: SettingField['path'], value: unknown): Members {
  return { ...members, [outer]: inner === undefined ? value : { ...(members[outer] as Members), [inner]: value } };
}

/** The value of a field in a configuration. */
export function readField(config: SettingFields, { path: [outer, inner] }: SettingField): unknown {
  const member = (config as unknown as Members)[outer];
  return inner === undefined ? member : (member as Members)[inner];
}

/** A configuration with some of its fields as they are in another. */
export function takeFields<C extends SettingFields>(config: C, other: C, fields: readonly SettingField[]): C {
  const members = config as unknown as Members;
  return fields.reduce((all, field) => withMember(all, field.path, readField(other, field)), members) as unknown as C;
}

/**
 * Puts each value into its field of the configuration.
 * @param directory absolute; what relative folders start from
 */
export function placeValues(values: SettingValues, directory: string): SettingFields {
  return settingFields.reduce<Members>((members, { name, row, path }) => {
    const value = values[name];
    return withMember(members, path, row.isFolder === true ? resolve(directory, String(value)) : value);
  }, {}) as unknown as SettingFields;
}
