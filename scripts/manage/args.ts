import { parseArgs } from 'node:util';
import {
  type CommandName,
  commandNames,
  commandTable,
  isCommandName,
  type OptionRow,
  optionTable,
} from './commandTable.ts';
import { didYouMean } from './suggest.ts';

/** A command line that can be carried out. */
export interface Invocation {
  readonly command: Exclude<CommandName, 'help'>;
  /** Instance names as given; empty or `all` mean every one. */
  readonly names: readonly string[];
  readonly json: boolean;
  readonly quiet: boolean;
  readonly colour: boolean;
  readonly follow: boolean;
  readonly lines: number;
}

export type ParsedArgs =
  | { readonly kind: 'run'; readonly invocation: Invocation }
  | { readonly kind: 'help'; readonly topic: CommandName | undefined }
  | { readonly kind: 'version' }
  | { readonly kind: 'usage'; readonly message: string };

const DEFAULT_LINES = 20;

function wrong(message: string): ParsedArgs {
  return { kind: 'usage', message };
}

function unknownCommand(word: string): ParsedArgs {
  return wrong(`there is no command "${word}"${didYouMean(word, commandNames)}`);
}

/** Understands the words after `./manage`. Never throws: what is wrong comes back as a message for the user. */
export function parseCommandLine(words: readonly string[]): ParsedArgs {
  const { values, positionals, tokens } = parseArgs({
    args: [...words],
    options: optionTable,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const [word, ...names] = positionals;
  if (values['version'] && word === undefined) return { kind: 'version' };
  if (word !== undefined && !isCommandName(word)) return unknownCommand(word);

  const allowed: readonly string[] = word === undefined ? ['help', 'version'] : commandTable[word].options;
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const row: OptionRow | undefined = Object.hasOwn(optionTable, token.name)
      ? optionTable[token.name as keyof typeof optionTable]
      : undefined;
    if (row === undefined || !allowed.includes(token.name)) {
      const where = word === undefined ? './manage' : `./manage ${word}`;
      const candidates = allowed.map((name) => `--${name}`);
      return wrong(`${where} has no option ${token.rawName}${didYouMean(token.rawName, candidates)}`);
    }
    if (row.type === 'boolean' && token.value !== undefined) return wrong(`${token.rawName} takes no value`);
    if (row.type === 'string' && !token.value)
      return wrong(`${token.rawName} needs a value: ${token.rawName} ${row.value}`);
  }

  if (word === undefined) return { kind: 'help', topic: undefined };
  if (word === 'help') {
    const [topic] = names;
    if (topic !== undefined && !isCommandName(topic)) return unknownCommand(topic);
    return { kind: 'help', topic };
  }
  if (values['help']) return { kind: 'help', topic: word };
  if (commandTable[word].names === 'required' && names.length === 0) {
    return wrong(`./manage ${word} needs the name of an instance, or "all"`);
  }
  const lines = values['lines'] === undefined ? DEFAULT_LINES : Number(values['lines']);
  if (!Number.isSafeInteger(lines) || lines < 0) return wrong(`--lines takes a number, not "${values['lines']}"`);
  return {
    kind: 'run',
    invocation: {
      command: word,
      names,
      json: values['json'] === true,
      quiet: values['quiet'] === true,
      colour: values['no-color'] !== true,
      follow: values['follow'] === true,
      lines,
    },
  };
}
