import type { Choices } from '../chooseValues.ts';
import { referencesIn } from '../expand.ts';
import { secretFileName } from '../keyGroups.ts';
import { createReport, type Report } from '../report.ts';
import type { Environment, Variables } from '../variables.ts';
import { parseModelsText } from './parseModelsText.ts';
import { type ModelEntry, readEntries } from './readEntries.ts';

/** The text of a models file, and its path as problems show it. */
export interface ModelsText {
  readonly file: string;
  readonly text: string;
}

/**
 * Gives the models file at a path, or without one that which lies beside the env file under a usual name, if any. Throws an
 * error whose `code` says why a file cannot be read.
 */
export type FindModelsFile = (path: string | undefined) => ModelsText | undefined;

/** What stands in the models file of an instance. */
export interface ModelsFile {
  readonly file: string | undefined;
  readonly entries: readonly ModelEntry[];
  /** Names of variables that the file asks for. */
  readonly names: ReadonlySet<string>;
  /** Collects what is wrong in this file. */
  readonly report: Report;
}

/** A models file has a few thousand lines at most; anything larger is another file given by mistake. */
const MAX_LENGTH = 1_048_576;

function findText(findModelsFile: FindModelsFile, choices: Choices, report: Report): ModelsText | undefined {
  const choice = choices.get('MODELS_FILE');
  try {
    const found = findModelsFile(choice?.value);
    if (found === undefined || found.text.length <= MAX_LENGTH) return found;
    report.error(
      choice ?? { key: 'MODELS_FILE' },
      `${found.text.length} characters in ${found.file}`,
      'Give the path of a models file; this one is too large.',
    );
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    const what = choice === undefined ? 'a models file beside the env file' : `the file "${choice.value}"`;
    report.error(
      choice ?? { key: 'MODELS_FILE' },
      `${what}, which cannot be read (${code})`,
      'Give the path of a readable file; a relative one starts from the project.',
    );
  }
  return undefined;
}

/** Finds and reads the models file; no file, no models. */
export function readModelsFile(
  findModelsFile: FindModelsFile,
  choices: Choices,
  variables: Variables,
  environment: Environment,
  report: Report,
): ModelsFile {
  const found = findText(findModelsFile, choices, report);
  if (found === undefined) return { file: undefined, entries: [], names: new Set(), report: createReport('') };
  const { file, text } = found;
  const own = createReport(file);
  const document = parseModelsText(text, own);
  const lookUp = (name: string) => variables.get(name)?.value ?? environment[name];
  const entries = document === undefined ? [] : readEntries(document, lookUp, own);
  const keys = entries.flatMap(({ values }) => (values.api_key_name === undefined ? [] : [values.api_key_name]));
  const names = new Set([...referencesIn(text), ...keys, ...keys.map(secretFileName)]);
  return { file, entries, names, report: own };
}
