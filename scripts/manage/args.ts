import { parseArgs } from 'node:util';
import { type UsageGrouping, usageGroupings } from '../../src/telemetry/usageSums.ts';
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
  readonly full: boolean;
  readonly keyStdin: boolean;
  /** Of one check. */
  readonly timeoutMs: number;
  readonly days: number;
  readonly by: UsageGrouping;
  readonly csv: boolean;
}

export type ParsedArgs =
  | { readonly kind: 'run'; readonly invocation: Invocation }
  | { readonly kind: 'help'; readonly topic: CommandName | undefined }
  | { readonly kind: 'version' }
  | { readonly kind: 'usage'; readonly message: string };

const DEFAULT_LINES = 20;
const DEFAULT_TIMEOUT_SECONDS = 60;
const DEFAULT_DAYS = 30;
const MAX_DAYS = 36_500;
/** The longest that a timer takes. */
const MAX_TIMEOUT_SECONDS = 2_000_000;

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
  const seconds = values['timeout'] === undefined ? DEFAULT_TIMEOUT_SECONDS : Number(values['timeout']);
  if (!(seconds > 0 && seconds <= MAX_TIMEOUT_SECONDS))
    return wrong(`--timeout takes a number of seconds, not "${values['timeout']}"`);
  const days = values['days'] === undefined ? DEFAULT_DAYS : Number(values['days']);
  if (!Number.isSafeInteger(days) || days < 1 || days > MAX_DAYS)
    return wrong(`--days takes a number from 1 to ${MAX_DAYS}, not "${values['days']}"`);
  const what = String(values['by'] ?? 'day');
  const by = usageGroupings.find((grouping) => grouping === what);
  if (by === undefined)
    return wrong(`--by takes ${usageGroupings.join(', ')}, not "${what}"${didYouMean(what, usageGroupings)}`);
  if (values['json'] && values['csv']) return wrong('--json and --csv exclude each other');
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
      full: values['full'] === true,
      keyStdin: values['key-stdin'] === true,
      timeoutMs: seconds * 1000,
      days,
      by,
      csv: values['csv'] === true,
    },
  };
}
