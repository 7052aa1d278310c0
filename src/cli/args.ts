import { parseArgs } from 'node:util';
import { asString } from '../core/json.ts';
import { type UsageGrouping, usageGroupings } from '../telemetry/usage/totals.ts';
import { type ShellName, shellNames } from './claude/shells.ts';
import { type CommandName, type CommandRow, commandNames, commandTable, isCommandName } from './commandTable.ts';
import { parseSince, SINCE_FORMS } from './logs/logEntries.ts';
import { type OptionRow, optionTable } from './optionTable.ts';
import { didYouMean } from './terminal/output.ts';

/** A command line that can be carried out. */
export interface Invocation {
  readonly command: Exclude<CommandName, 'help'>;
  /** Instance names as given; empty or `all` mean every one. */
  readonly names: readonly string[];
  readonly json: boolean;
  readonly quiet: boolean;
  readonly colour: boolean;
  readonly follow: boolean;
  /** Infinite when the user asks for everything since a time. */
  readonly lines: number;
  /** In ms since 1970. */
  readonly since: number | undefined;
  readonly errors: boolean;
  /** Processes of each instance; undefined leaves as many as there are. */
  readonly processes: number | undefined;
  readonly force: boolean;
  readonly full: boolean;
  readonly keyStdin: boolean;
  /** Of one check. */
  readonly timeoutMs: number;
  readonly days: number;
  readonly by: UsageGrouping;
  readonly csv: boolean;
  /** One look in place of a live view. */
  readonly once: boolean;
  readonly fix: boolean;
  /** Whether providers may be asked. */
  readonly online: boolean;
  /** Of the instance to be made. */
  readonly as: string | undefined;
  readonly port: number | undefined;
  readonly region: string | undefined;
  readonly url: string | undefined;
  readonly model: string | undefined;
  readonly stdin: boolean;
  readonly yes: boolean;
  /** Whether the user may be asked; without a terminal nobody is asked either. */
  readonly input: boolean;
  readonly dryRun: boolean;
  readonly shell: ShellName | undefined;
  readonly project: boolean;
  /** Words for another program, as they are. */
  readonly rest: readonly string[];
}

export type ParsedArgs =
  | { readonly kind: 'run'; readonly invocation: Invocation }
  | { readonly kind: 'help'; readonly topic: CommandName | undefined }
  | { readonly kind: 'version' }
  /** `topic` is the command that was meant. */
  | { readonly kind: 'usage'; readonly message: string; readonly topic: CommandName | undefined };

const DEFAULT_LINES = 20;
const DEFAULT_TIMEOUT_SECONDS = 60;
const DEFAULT_DAYS = 30;
const MAX_DAYS = 36_500;
const MAX_PORT = 65_535;
const MAX_PROCESSES = 64;
/** The longest that a timer takes. */
const MAX_TIMEOUT_SECONDS = 2_000_000;

function unknownCommand(word: string): ParsedArgs {
  const message = `there is no command "${word}"${didYouMean(word, commandNames)}`;
  return { kind: 'usage', message, topic: undefined };
}

/** Cuts off the words that the command hands on to another program. */
function splitWords(words: readonly string[]): { own: readonly string[]; rest: readonly string[] } {
  const at = words.findIndex((word) => !word.startsWith('-'));
  const word = words[at];
  const { handsOn }: Partial<CommandRow> = word !== undefined && isCommandName(word) ? commandTable[word] : {};
  if (handsOn === 'all' && !['-h', '--help'].includes(words[at + 1] ?? '')) {
    return { own: words.slice(0, at + 1), rest: words.slice(at + 1) };
  }
  const end = words.indexOf('--');
  if (handsOn !== 'after --' || end < 0) return { own: words, rest: [] };
  return { own: words.slice(0, end), rest: words.slice(end + 1) };
}

/** Understands the words after `./manage`. Never throws: what is wrong comes back as a message for the user. */
export function parseCommandLine(words: readonly string[]): ParsedArgs {
  const { own, rest } = splitWords(words);
  const { values, positionals, tokens } = parseArgs({
    args: [...own],
    options: optionTable,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const [word, ...names] = positionals;
  if (values['version'] && word === undefined) return { kind: 'version' };
  if (word !== undefined && !isCommandName(word)) return unknownCommand(word);

  const wrong = (message: string): ParsedArgs => ({ kind: 'usage', message, topic: word });
  const allowed: readonly string[] = word === undefined ? ['help', 'version'] : commandTable[word].options;
  const { handsOn }: Partial<CommandRow> = word === undefined ? {} : commandTable[word];
  const hint = handsOn === 'after --' ? '; what is for the other program stands after --' : '';
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const row: OptionRow | undefined = Object.hasOwn(optionTable, token.name)
      ? optionTable[token.name as keyof typeof optionTable]
      : undefined;
    if (row === undefined || !allowed.includes(token.name)) {
      const where = word === undefined ? './manage' : `./manage ${word}`;
      const candidates = allowed.map((name) => `--${name}`);
      return wrong(`${where} has no option ${token.rawName}${didYouMean(token.rawName, candidates)}${hint}`);
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
  const { names: expected, operand }: CommandRow = commandTable[word];
  if (expected === 'required' && names.length === 0) {
    return wrong(`./manage ${word} needs ${operand?.called ?? 'the name of an instance, or "all"'}`);
  }
  if (names.length > (expected === 'none' ? 0 : (operand?.most ?? names.length))) {
    return wrong(
      `./manage ${word} takes ${expected === 'none' ? 'no names' : `${operand?.called}, not ${names.length}`}${hint}`,
    );
  }
  if (operand?.most === 1 && operand.from === undefined && names[0] === 'all') {
    return wrong(`./manage ${word} takes ${operand.called}, not "all"`);
  }
  const choices = typeof operand?.from === 'string' ? undefined : operand?.from;
  const unknown = choices && names.find((name) => !choices.includes(name));
  if (choices !== undefined && unknown !== undefined)
    return wrong(`./manage ${word} takes ${operand?.called}, not "${unknown}"${didYouMean(unknown, choices)}`);
  const shellText = asString(values['shell']);
  const shell = shellNames.find((name) => name === shellText);
  if (shellText !== undefined && shell === undefined)
    return wrong(`--shell takes ${shellNames.join(', ')}, not "${shellText}"${didYouMean(shellText, shellNames)}`);
  const sinceText = asString(values['since']);
  const since = sinceText === undefined ? undefined : parseSince(sinceText, Date.now());
  if (sinceText !== undefined && since === undefined) return wrong(`--since takes ${SINCE_FORMS}, not "${sinceText}"`);
  const defaultLines = since === undefined ? DEFAULT_LINES : Number.POSITIVE_INFINITY;
  const lines = values['lines'] === undefined ? defaultLines : Number(values['lines']);
  if (values['lines'] !== undefined && !(Number.isSafeInteger(lines) && lines >= 0))
    return wrong(`--lines takes a number, not "${values['lines']}"`);
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
  const port = values['port'] === undefined ? undefined : Number(values['port']);
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= MAX_PORT))
    return wrong(`--port takes a number from 1 to ${MAX_PORT}, not "${values['port']}"`);
  const processes = values['instances'] === undefined ? undefined : Number(values['instances']);
  if (processes !== undefined && !(Number.isInteger(processes) && processes >= 1 && processes <= MAX_PROCESSES))
    return wrong(`--instances takes a number from 1 to ${MAX_PROCESSES}, not "${values['instances']}"`);
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
      since,
      errors: values['errors'] === true,
      processes,
      force: values['force'] === true,
      once: values['once'] === true,
      fix: values['fix'] === true,
      online: values['online'] === true,
      full: values['full'] === true,
      keyStdin: values['key-stdin'] === true,
      timeoutMs: seconds * 1000,
      days,
      by,
      csv: values['csv'] === true,
      as: asString(values['as']),
      port,
      region: asString(values['region']),
      url: asString(values['url']),
      model: asString(values['model']),
      stdin: values['stdin'] === true,
      yes: values['yes'] === true,
      input: values['no-input'] !== true,
      dryRun: values['dry-run'] === true,
      shell,
      project: values['project'] === true,
      rest,
    },
  };
}
