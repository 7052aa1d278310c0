import * as z from 'zod/mini';
import { type Report, showText } from '../diagnostics.ts';
import type { FoundSecret } from '../secrets.ts';
import { type KeyName, type KeyRow, keyNames, keyRow, type keyTable } from './settings.ts';
import type { Choices, Variable } from './variables.ts';

type ValueOf<R> = R extends { readonly fallback: string } & KeyRow<infer T>
  ? T
  : R extends KeyRow<infer T>
    ? T | undefined
    : never;

/** The checked values of one env file. */
export type Values = { readonly [K in KeyName]: ValueOf<(typeof keyTable)[K]> };

function valueType({ form, fallback }: KeyRow<unknown>): z.core.$ZodType {
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

const schema = z.object(Object.fromEntries(keyNames.map((key) => [key, valueType(keyRow(key))])));

/** A key whose text is wrong, and the form it should have. */
export interface WrongValue {
  readonly key: KeyName;
  readonly form: string;
}

/** Texts to values, with the defaults filled in. Keys whose text is wrong are told and stand at their default. */
export function parseValues(texts: Partial<Record<KeyName, string>>): {
  readonly values: Values;
  readonly wrong: readonly WrongValue[];
} {
  const result = schema.safeParse(texts);
  if (result.success) return { values: result.data as Values, wrong: [] };
  const wrong = result.error.issues.map((issue) => ({ key: String(issue.path[0]) as KeyName, form: issue.message }));
  const sound = Object.entries(texts).filter(([key]) => wrong.every((one) => one.key !== key));
  return { values: schema.parse(Object.fromEntries(sound)) as Values, wrong };
}

/** The checked values; a wrong one is reported and stands at its default, so that the checks after this can go on. */
export function readValues(
  choices: Choices,
  secrets: Partial<Record<KeyName, FoundSecret | undefined>>,
  report: Report,
): Values {
  const texts: Partial<Record<KeyName, string>> = {};
  const places: Partial<Record<KeyName, Variable>> = {};
  for (const [key, variable] of choices) [texts[key], places[key]] = [variable.value, variable];
  for (const [key, found] of Object.entries(secrets) as [KeyName, FoundSecret | undefined][]) {
    if (found !== undefined) [texts[key], places[key]] = [found.value, found.variable];
  }
  const { values, wrong } = parseValues(texts);
  for (const { key, form } of wrong) {
    report.error(places[key] ?? { key }, showText(texts[key] ?? '', keyRow(key).secret === true), `Set ${form}.`);
  }
  return values;
}
