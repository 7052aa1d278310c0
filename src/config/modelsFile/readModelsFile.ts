import type { Choices } from '../chooseValues.ts';
import { parseDocumentText } from '../document/parseDocumentText.ts';
import { referencesIn } from '../expand.ts';
import type { Files } from '../files.ts';
import { secretFileName } from '../keyGroups.ts';
import { createReport, type Report } from '../report.ts';
import { findSideFile, type SideFile } from '../sideFile.ts';
import type { LookUp } from '../variables.ts';
import { type ModelEntry, readEntries } from './readEntries.ts';

export const MODELS_FILE: SideFile = {
  key: 'MODELS_FILE',
  // The last one is of an earlier system.
  names: ['models.yaml', 'models.yml', 'models.json', 'custom_models.yaml'],
  what: 'models',
};

/** What stands in the models file of an instance. */
export interface ModelsFile {
  readonly file: string | undefined;
  readonly entries: readonly ModelEntry[];
  /** Names of variables that the file asks for. */
  readonly names: ReadonlySet<string>;
  /** Collects what is wrong in this file. */
  readonly report: Report;
}

/** Finds and reads the models file; no file, no models. */
export function readModelsFile(files: Files, choices: Choices, lookUp: LookUp, report: Report): ModelsFile {
  const found = findSideFile(MODELS_FILE, choices, files, report);
  if (found === undefined) return { file: undefined, entries: [], names: new Set(), report: createReport('') };
  const { file, text } = found;
  const own = createReport(file);
  const document = parseDocumentText(text, own);
  const entries = document === undefined ? [] : readEntries({ document, lookUp, report: own });
  const keys = entries.flatMap(({ values }) => (values.api_key_name === undefined ? [] : [values.api_key_name]));
  const names = new Set([...referencesIn(text), ...keys, ...keys.map(secretFileName)]);
  return { file, entries, names, report: own };
}
