import { presets } from '../../../src/providers/index.ts';
import type { CommandRow } from '../commandRows/commandRow.ts';
import { commandNames, commandTable } from '../commandTable.ts';
import { type OptionRow, optionTable } from '../optionTable.ts';

/** An option as it is completed. */
export interface OptionEntry {
  /** Without dashes. */
  readonly name: string;
  readonly short: string | undefined;
  readonly summary: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** A command as it is completed. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionEntry[];
  /** What its words are chosen from. */
  readonly words: 'instances' | 'instances and all' | 'files' | readonly string[];
  /** Everything behind `--` is another program's. */
  readonly handsOn: boolean;
}

function describeOption(name: keyof typeof optionTable): OptionEntry {
  const row: OptionRow = optionTable[name];
  const { short, summary, type, choices = [] } = row;
  return { name, short, summary, takesValue: type === 'string', choices };
}

function wordsOf({ names, operand }: CommandRow): CommandEntry['words'] {
  if (names === 'none') return [];
  const { from, most } = operand ?? {};
  switch (from) {
    case undefined:
      return most === 1 ? 'instances' : 'instances and all';
    case 'providers':
      return presets.map(({ name }) => name);
    case 'commands':
      return commandNames;
    case 'files':
      return 'files';
    default:
      return from;
  }
}

/** The command table as the completion scripts need it. */
export function completionTable(): readonly CommandEntry[] {
  return commandNames.map((name) => {
    const row: CommandRow = commandTable[name];
    return {
      name,
      summary: row.summary,
      options: row.options.map(describeOption),
      words: wordsOf(row),
      handsOn: row.handsOn !== undefined,
    };
  });
}

/** The options of `./manage` itself. */
export const generalOptions: readonly OptionEntry[] = [describeOption('help'), describeOption('version')];
