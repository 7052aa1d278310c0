import { chooseVariable } from './chooseVariable.ts';
import { namesOf } from './keyGroups.ts';
import { type KeyName, keyNames, keyRow } from './keyTable.ts';
import type { Report } from './report.ts';
import type { Variable, Variables } from './variables.ts';

/** The variable that gives each key its value; keys that nobody set are missing. */
export type Choices = ReadonlyMap<KeyName, Variable>;

/** Chooses for every key but the secrets, which need more than a name. */
export function chooseValues(variables: Variables, report: Report): Choices {
  const choices = new Map<KeyName, Variable>();
  for (const key of keyNames) {
    if (keyRow(key).secret === true) continue;
    const variable = chooseVariable(namesOf(key), variables, report);
    if (variable !== undefined) choices.set(key, variable);
  }
  return choices;
}
