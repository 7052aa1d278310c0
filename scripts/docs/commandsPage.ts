import { loadCommands } from '../../src/cli/commandSpec.ts';
import { helpText } from '../../src/cli/commands/help.ts';
import { commandTable } from '../../src/cli/commandTable.ts';
import { exitCodeRows } from '../../src/cli/exitCodes.ts';
import { code, markdownPage, markdownTable } from './markdown.ts';

const commands = await loadCommands(commandTable);
const helpTexts = await Promise.all(
  commands.map(async ([name]) => `## ${name}\n\n\`\`\`text\n${await helpText(name, commandTable)}\n\`\`\``),
);

const RULES = `\`./manage help COMMAND\` and \`./manage COMMAND --help\` print the same. For all commands:

- Data goes to stdout, words about it to stderr. \`--json\` prints data for a program, with a \`schema\` number that changes when the form does;
  \`--quiet\` leaves only what went wrong.
- Colours are for terminals only; \`NO_COLOR\`, \`FORCE_COLOR\`, \`TERM=dumb\` and \`--no-color\` are obeyed.
- Nobody is asked where there is no terminal, or with \`--no-input\`. A key is typed unseen or comes from stdin, never from an option.
- Names, errors and other words from elsewhere cannot control the terminal.`;

/** docs/COMMANDS.md: the help of every command, and what the exit statuses mean. */
export function commandsPage(): string {
  return markdownPage(
    '# Commands',
    RULES,
    '## All commands',
    commandTableOf(commands, ''),
    '## Exit status',
    markdownTable(
      ['Status', 'Meaning'],
      exitCodeRows.map(([code, meaning]) => [String(code), meaning]),
    ),
    '`run` and `pm2` give the status of the program that they run.',
    ...helpTexts,
  );
}

/** Commands in a table, each with a link to its help on the page at `path`. */
function commandTableOf(shown: typeof commands, path: string): string {
  const rows = shown.map(([name, { usage, summary }]) => [`[${code(usage)}](${path}#${name})`, summary]);
  return markdownTable(['./manage', 'what it does'], rows);
}

/**
 * Some commands in a table, for the README.
 * @throws Error for a name that no command has
 */
export function commandsSection(names: readonly string[]): string {
  const known = names.map((name) => {
    const found = commands.find(([one]) => one === name);
    if (found === undefined) throw new Error(`there is no command "${name}"`);
    return found;
  });
  return commandTableOf(known, 'docs/COMMANDS.md');
}
