import { clientCommands } from './commandRows/clientCommands.ts';
import type { CommandRow } from './commandRows/commandRow.ts';
import { insightCommands } from './commandRows/insightCommands.ts';
import { machineCommands } from './commandRows/machineCommands.ts';
import { processCommands } from './commandRows/processCommands.ts';
import { setUpCommands } from './commandRows/setUpCommands.ts';

/** The command line as data, in the order of the help text. */
export const commandTable = {
  ...processCommands,
  ...insightCommands,
  ...clientCommands,
  ...machineCommands,
  ...setUpCommands,
  help: {
    summary: 'show help for a command',
    usage: 'help [COMMAND]',
    names: 'optional',
    operand: { called: 'one command', most: 1, from: 'commands' },
    options: ['help'],
    examples: [['./manage help start', 'the same as ./manage start --help']],
    details: '',
  },
} as const satisfies Record<string, CommandRow>;

export type CommandName = keyof typeof commandTable;

export const commandNames = Object.keys(commandTable) as CommandName[];

export function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(commandTable, word);
}
