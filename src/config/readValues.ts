import type { Choices } from './chooseValues.ts';
import type { FoundSecret } from './findSecret.ts';
import { type KeyName, keyRow } from './keyTable.ts';
import type { Report } from './report.ts';
import { parseValues, type Values } from './schema.ts';
import type { Variable } from './variables.ts';

/** The wrong text for a message; never a secret, and never an address with a password in it. */
function show(key: KeyName, text: string): string {
  if (keyRow(key).secret === true || text.includes('@')) return `a value of ${text.length} characters (not shown)`;
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
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
    report.error(places[key] ?? { key }, show(key, texts[key] ?? ''), `Set ${form}.`);
  }
  return values;
}
