import type { Choices } from '../chooseValues.ts';
import { parseDocumentText } from '../document/parseDocumentText.ts';
import { referencesIn } from '../expand.ts';
import type { Files } from '../files.ts';
import { secretFileName } from '../keyGroups.ts';
import { createReport, type Report } from '../report.ts';
import { findSideFile, type SideFile } from '../sideFile.ts';
import type { LookUp } from '../variables.ts';
import { type ProvidersDocument, readProviders } from './readProviders.ts';

export const PROVIDERS_FILE: SideFile = {
  key: 'PROVIDERS_FILE',
  names: ['config/providers.json', 'providers.json'],
  what: 'providers',
};

/** The providers file of an instance. */
export interface ProvidersFile extends ProvidersDocument {
  /** Its path as problems show it; undefined when there is none. */
  readonly file: string | undefined;
  /** Names of variables that the file asks for. */
  readonly names: ReadonlySet<string>;
  /** Permission bits such as `644`, where other users may read it. */
  readonly openMode: string | undefined;
  /** Collects what is wrong in this file. */
  readonly report: Report;
}

/** Finds and reads the providers file. */
export function readProvidersFile(files: Files, choices: Choices, lookUp: LookUp, report: Report): ProvidersFile {
  const found = findSideFile(PROVIDERS_FILE, choices, files, report);
  const own = createReport(found?.file ?? '');
  const document = found && parseDocumentText(found.text, own);
  const read = document && readProviders({ document, lookUp, report: own });
  const names = referencesIn(found?.text ?? '');
  return {
    file: found?.file,
    values: read?.values ?? {},
    entries: read?.entries ?? [],
    names: new Set([...names, ...names.map(secretFileName)]),
    openMode: found?.openMode,
    report: own,
  };
}
