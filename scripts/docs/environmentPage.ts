import { type KeyName, keyNames, keyRow } from '../../src/config/keyTable.ts';
import { quirkKeys } from '../../src/config/quirks.ts';
import { code, markdownPage, markdownTable } from './markdown.ts';

function describeKey(key: KeyName): readonly string[] {
  const { form, fallback, otherwise, about, aliases = [], secret } = keyRow(key);
  const standard = otherwise ?? code(fallback ?? '');
  const names = [...aliases, ...(secret === true ? [`${key}_FILE`] : [])];
  return [code(key), form.form, standard, about, names.map(code).join(', ')];
}

const RULES = `Each instance has one env file, \`envs/<name>.env\`, and is named after it. The binary reads the file itself; no key of it
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
  \`REGION\` neither. Where that is meant, say so in the file: \`OPENAI_API_KEY=\${OPENAI_API_KEY}\`. Under PM2 the
  environment holds none of these names, so that the file alone counts.
- Two names for one thing with different values: the warning says which is used.
- An unknown name is a warning, with the nearest known one.`;

const FAMILIES = `\`CUSTOM_HEADER_X_TITLE=value\` sends the header \`x-title: value\` with every request to the provider, in place of one of the
same name that would have been sent.

\`QUIRK_<NAME>\` overrides one setting of the provider's preset, for all models of the instance. You need one when a
provider changed, or for a server that has no preset.`;

/** docs/ENVIRONMENT.md: every key of an env file. */
export function environmentPage(): string {
  return markdownPage(
    '# Settings',
    RULES,
    '## Keys',
    markdownTable(['Key', 'Value', 'Default', 'Meaning', 'Other names'], keyNames.map(describeKey)),
    '## Headers and quirks',
    FAMILIES,
    markdownTable(
      ['Quirk', 'Value', 'Default without a preset', 'Meaning'],
      quirkKeys.map(({ name, form, fallback, about }) => [code(name), form, code(fallback), about]),
    ),
  );
}
