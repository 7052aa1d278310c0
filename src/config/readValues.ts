import type { Choices } from './chooseValues.ts';
import type { FoundSecret } from './findSecret.ts';
import { type KeyName, keyRow } from './keyTable.ts';
import type { Report } from './report.ts';
import { parseValues, type Values } from './schema.ts';
import { showText } from './showText.ts';
import type { Variable } from './variables.ts';

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
