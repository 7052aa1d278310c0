import { chooseVariable } from './chooseVariable.ts';
import type { ProviderKey } from './config.ts';
import { readErrorCode } from './files.ts';
import { secretFileName } from './keyGroups.ts';
import type { Report } from './report.ts';
import type { Variable, Variables } from './variables.ts';

/** Gives the text of a file, or throws an error whose `code` says why not. */
export type ReadSecretFile = (path: string) => string;

export interface FoundSecret {
  readonly value: string;
  readonly source: Exclude<ProviderKey['source'], 'client' | 'none'>;
  /** Where it stands, for problems. */
  readonly variable: Variable;
}

/** A secret that stands under one of the names, or in a file that `<NAME>_FILE` names. */
export function findSecret(
  names: readonly string[],
  variables: Variables,
  readSecretFile: ReadSecretFile,
  report: Report,
): FoundSecret | undefined {
  const direct = chooseVariable(names, variables, report);
  const pointer = chooseVariable(names.map(secretFileName), variables, report);
  if (direct !== undefined) {
    if (pointer !== undefined)
      report.warning(
        pointer,
        `a file for what ${direct.key} already gives`,
        `${direct.key} is used; remove one of them.`,
      );
    return { value: direct.value, source: direct.source, variable: direct };
  }
  if (pointer === undefined) return undefined;
  try {
    const value = readSecretFile(pointer.value).trim();
    if (value !== '') return { value, source: 'secret file', variable: pointer };
    report.error(pointer, `the file "${pointer.value}", which is empty`, 'Write the secret into it.');
  } catch (error) {
    report.error(
      pointer,
      `the file "${pointer.value}", which cannot be read (${readErrorCode(error)})`,
      'Give the path of a readable file.',
    );
  }
  return undefined;
}
