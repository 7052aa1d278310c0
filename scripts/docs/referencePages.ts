import { loadCommands } from '../../src/cli/command.ts';
import { helpText } from '../../src/cli/commands/help.ts';
import { commandTable } from '../../src/cli/commandTable.ts';
import { exitCodeRows } from '../../src/cli/exitCodes.ts';
import { type SettingName, settingNames, settingRow } from '../../src/config/env/settings.ts';
import { clientsTable, clientTable } from '../../src/config/files/clientTokensFile.ts';
import type { FieldRow, FieldTable } from '../../src/config/files/document.ts';
import { entryTable } from '../../src/config/files/modelsFile.ts';
import { fileTable, providerTable } from '../../src/config/files/providersFile.ts';
import { quirkDocumentation } from '../../src/config/overrides.ts';
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

const COMMAND_RULES = `\`./manage help COMMAND\` and \`./manage COMMAND --help\` print the same. For all commands:

- Data goes to stdout, words about it to stderr. \`--json\` prints data for a program, with a \`schema\` number that changes when the form does;
  \`--quiet\` leaves only what went wrong.
- Colours are for terminals only; \`NO_COLOR\`, \`FORCE_COLOR\`, \`TERM=dumb\` and \`--no-color\` are obeyed.
- Nobody is asked where there is no terminal, or with \`--no-input\`. A key is typed unseen or comes from stdin, never from an option.
- Names, errors and other words from elsewhere cannot control the terminal.`;

/** docs/COMMANDS.md: the help of every command, and what the exit statuses mean. */
export function commandsPage(): string {
  return markdownPage(
    '# Commands',
    COMMAND_RULES,
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

function formOf(row: FieldRow): string {
  switch (row.kind) {
    case 'scalar':
      return row.form.form;
    case 'list':
      return `${row.form.form}, or a list of them`;
    case 'raw':
      return row.form;
    case 'mapping':
    case 'group':
      return 'a mapping';
  }
}

/** The fields of a file as rows of a table of name, value and meaning, fields of fields below the field they stand in. */
function fieldRows(table: FieldTable, prefix = ''): readonly (readonly string[])[] {
  return Object.entries(table).flatMap(([name, row]) => [
    [code(`${prefix}${name}`), formOf(row), row.about],
    ...(row.kind === 'group' ? fieldRows(row.fields, `${prefix}${name}.`) : []),
  ]);
}

function describeKey(key: SettingName): readonly string[] {
  const { form, fallback, otherwise, about, aliases = [], secret, mayBeInFile } = settingRow(key);
  const standard = otherwise ?? code(fallback ?? '');
  const names = [...aliases, ...(secret === true || mayBeInFile === true ? [`${key}_FILE`] : [])];
  return [code(key), form.form, standard, about, names.map(code).join(', ')];
}

const ENVIRONMENT_RULES = `Each instance has one env file, \`envs/<name>.env\`, and is named after it. The binary reads the file itself; no key of it
reaches PM2 or the process's environment. \`dist/claude-code-proxy --env FILE --check\` shows what is in force, secrets
masked, or all that is wrong at once.

- One \`KEY=value\` a line, as dotenv reads it; \`export\` in front is allowed. \`#\` begins a comment, also inside a word:
  put such a value in quotes. An empty value counts as none.
- \`\${NAME}\` and \`\${NAME:-default}\` are replaced anywhere in a value, by the file's variable of that name or else the
  environment's. Values in single quotes are taken as they stand.
- \`OPENAI_API_KEY_FILE\` and the like, for every key and token, name a file that holds the secret.
- Where the binary is run directly, as in a container, a variable of the environment wins over the file. Other
  programs use some of the names too, so that no key may end up at the wrong address: \`OPENAI_API_KEY\` and the
  providers' own names for it count only when the file names no key at all, \`PROVIDER\` and \`OPENAI_BASE_URL\` only when
  the file has neither; \`ANTHROPIC_API_KEY\` never does, as it is Claude Code's own (set \`CLAUDE_PROXY_AUTH_KEY\`), and
  \`REGION\` and \`PROTOCOL\` neither. Where that is meant, say so in the file: \`OPENAI_API_KEY=\${OPENAI_API_KEY}\`. Under PM2 the
  environment holds none of these names, so that the file alone counts.
- Two names for one thing with different values: the warning says which is used.
- An unknown name is a warning, with the nearest known one.`;

const FAMILIES = `\`CUSTOM_HEADER_X_TITLE=value\` sends the header \`x-title: value\` with every request to the provider, in place of one of the
same name that would have been sent.

\`QUIRK_<NAME>\` overrides one setting of the provider's preset, for all models of the instance. You need one when a
provider changed, or for a server that has no preset.`;

const PROVIDERS_FILE = `A file in JSON or YAML with several providers behind one instance, where another takes over when one fails. An instance takes the
one that \`PROVIDERS_FILE\` names, else \`config/providers.json\` or \`providers.json\` beside its env file.

\`\`\`json
{
  "providers": [
    { "name": "first", "priority": 1, "preset": "openai", "api_key": "\${OPENAI_API_KEY}" },
    {
      "name": "second",
      "priority": 2,
      "base_url": "https://api.example.com/v1",
      "api_keys": ["\${ONE_KEY}", "\${OTHER_KEY}"],
      "models": { "big": ["large", "medium"], "small": "little" }
    }
  ],
  "fallback_strategy": "priority"
}
\`\`\`

- Where the env file has \`PROVIDER\`, that provider goes first, and those of the file take over when it fails. Where it has not, those of
  the file are all there are; \`OPENAI_API_KEY\` and the like are then mere variables that the file asks for.
- A bare model is the first provider’s; \`<name>,<model>\` is another’s, in \`BIG_MODEL\` and the like, in \`ROUTER_*\`, in the prices file and in
  \`/model\`. \`BIG_MODEL\`, \`MIDDLE_MODEL\` and \`SMALL_MODEL\` go before the first provider’s models.
- \`\${NAME}\` and \`\${NAME:-default}\` are replaced anywhere in a text: by the env file’s variable of that name, else by the environment’s.
  A provider whose variable is not set is left out, with a warning. Where a key is such a reference alone, \`NAME_FILE\` works as well.
- Keys may also stand in the file itself; then nobody else should be able to read it (\`chmod 600\`).
- \`CUSTOM_HEADER_*\` and \`QUIRK_*\` hold for the env file’s own provider only.`;

const MODELS_FILE = `A file in YAML or JSON with further models, each with an address, a key and settings of its own where it needs them: a list, or a
mapping with the list under \`models\`. An instance takes the one that \`MODELS_FILE\` names, else \`models.yaml\`, \`models.yml\`,
\`models.json\` or \`custom_models.yaml\` beside its env file.

\`\`\`yaml
- model_id: my-model
  model_name: name-used-in-the-request
  api_base: https://api.example.com/v1
  api_key_name: MY_API_KEY
  max_tokens: 8192
  extra_headers: { X-Team: "\${TEAM:-none}" }
\`\`\`

- \`BIG_MODEL=my-model\` and the like, and a client’s \`/model my-model\`, ask for it; \`custom/my-model\` is the same. It wins over the
  provider’s model of that name and over the families of Claude.
- An instance without \`OPENAI_BASE_URL\` and without a provider (or with \`PROVIDER=custom\`) lives at the server of its big model, or of
  \`ROUTER_DEFAULT\`.
- \`CUSTOM_HEADER_*\`, \`QUIRK_*\` and the instance’s key hold for a model at the instance’s own server only; below that of the entry.
- \`\${NAME}\` and \`\${NAME:-default}\` are replaced anywhere in a value, also within mappings.
- A model whose variable is not set is left out, with a warning, so that several instances may share a file.`;

const PRICES_FILE = `A file in YAML or JSON with prices of your own, in US dollars per million tokens, by the model’s name as the instance asks for it
(\`custom/<id>\` for one of the models file). They go before those of the models file and the built-in ones (docs/PROVIDERS.md).

\`\`\`yaml
model-a: { input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5 }
model-b:
  - { input: 3, output: 12 }
  - { input: 2, output: 8, from: 2026-12-01 }
\`\`\`

- \`input\` is for what neither comes from the provider’s cache nor goes into it; \`cacheRead\` and \`cacheWrite\` are for the rest.
- With several entries the one with the latest \`from\` that is not after the day of the request counts.
- What a request costs is unknown, and shown as \`?\`, when a price is missing of tokens that it has used; it is never taken for $0.`;

const CLIENT_TOKENS_FILE = `A file in YAML or JSON with the clients that have tokens of their own, in a list under \`clients\`; \`./manage token\` writes it
(docs/TEAM.md).`;

/** docs/ENVIRONMENT.md: every key of an env file, and every field of a models file. */
export function environmentPage(): string {
  return markdownPage(
    '# Settings',
    ENVIRONMENT_RULES,
    '## Keys',
    markdownTable(['Key', 'Value', 'Default', 'Meaning', 'Other names'], settingNames.map(describeKey)),
    '## Providers file',
    PROVIDERS_FILE,
    markdownTable(['Field', 'Value', 'Meaning'], fieldRows(fileTable)),
    'Each provider:',
    markdownTable(['Field', 'Value', 'Meaning'], fieldRows(providerTable)),
    '## Models file',
    MODELS_FILE,
    markdownTable(['Field', 'Value', 'Meaning'], fieldRows(entryTable)),
    '## Prices file',
    PRICES_FILE,
    '## Client tokens file',
    CLIENT_TOKENS_FILE,
    markdownTable(['Field', 'Value', 'Meaning'], fieldRows(clientsTable)),
    'Each client:',
    markdownTable(['Field', 'Value', 'Meaning'], fieldRows(clientTable)),
    '## Headers and quirks',
    FAMILIES,
    markdownTable(
      ['Quirk', 'Value', 'Default without a preset', 'Meaning'],
      quirkDocumentation.map(({ name, form, fallback, about }) => [code(name), form, code(fallback), about]),
    ),
  );
}
