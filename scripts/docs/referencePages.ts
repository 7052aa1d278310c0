import { loadCommands } from '../../src/cli/command.ts';
import { helpText } from '../../src/cli/commands/help.ts';
import { commandTable } from '../../src/cli/commandTable.ts';
import { exitCodeRows } from '../../src/cli/exitCodes.ts';
import { type ErrorRow, errorTable } from '../../src/core/errorTable.ts';
import { code, markdownPage, markdownTable } from './markdown.ts';

/** Of the texts that a launcher prints, which does not know how wide the terminal is. */
const TERMINAL_WIDTH = 80;

const commands = await loadCommands(commandTable);
const helpTexts = await Promise.all(
  commands.map(
    async ([name]) => `## ${name}\n\n\`\`\`text\n${await helpText(name, commandTable, TERMINAL_WIDTH)}\n\`\`\``,
  ),
);

/** What `./manage` alone prints; the launcher takes it from here in a clone that has nothing installed. */
const generalHelp = `## manage\n\n\`\`\`text\n${await helpText(undefined, commandTable, TERMINAL_WIDTH)}\n\`\`\``;

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
    generalHelp,
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

function describeRow([name, row]: [string, ErrorRow]): readonly string[] {
  const again = row.shouldRetry === undefined ? '' : row.shouldRetry ? 'yes' : 'no';
  return [String(row.status), code(row.type), code(name), code(row.form), row.cause, row.remedy, again];
}

const ENVELOPE = `Every error is answered in Anthropic’s envelope, with the status that Anthropic’s API gives for it:

\`\`\`json
{"type": "error", "error": {"type": "overloaded_error", "message": "[work 503] the server is busy"}, "request_id": "req_..."}
\`\`\`

Once an answer has begun to stream, the same stands in an \`event: error\` at its end. The request id is in the instance’s
log too.

The message is the most common one of several where there are more. Words in capitals stand for what differs:
\`[INSTANCE STATUS]\` is the name of the instance and the status that its provider gave, as in \`[work 503]\`, or the name
alone when there was none; \`WORDS\` are the provider’s own, at most 500 characters and without keys. The code is the name
of the error in the sources. The last column is the \`x-should-retry\` header; without it Claude Code decides by the status.`;

/** docs/ERRORS.md: every error that the proxy answers, by status. */
export function errorsPage(): string {
  const rows: [string, ErrorRow][] = Object.entries(errorTable);
  return markdownPage(
    '# Errors',
    ENVELOPE,
    markdownTable(
      ['Status', 'Type', 'Code', 'Message', 'What happened', 'What to do', 'Retry'],
      rows.sort(([, left], [, right]) => left.status - right.status).map(describeRow),
    ),
  );
}
