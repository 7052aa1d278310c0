import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import type { Command, CommandSpec, Invocation } from './command.ts';
import { type CommandName, commandNames, commandTable, isCommandName } from './commandTable.ts';
import { type Option, type OptionName, optionTable, readOptions, UsageError } from './options.ts';
import { didYouMean } from './terminal/output.ts';

export type ParsedArgs =
  | { readonly kind: 'run'; readonly command: Command; readonly invocation: Invocation<OptionName> }
  | { readonly kind: 'help'; readonly topic: CommandName | undefined }
  | { readonly kind: 'version' }
  /** `topic` is the command that was meant. */
  | { readonly kind: 'usage'; readonly message: string; readonly topic: CommandName | undefined };

/** Understands the words after `./manage`. Never rejects: what is wrong comes back as a message for the user. */
export async function parseCommandLine(words: readonly string[]): Promise<ParsedArgs> {
  const { own, rest } = await splitWords(words);
  const { values, positionals, tokens } = parseArgs({
    args: [...own],
    options: parserOptions,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const [word, ...names] = positionals;
  if (words.length === 1 && words[0] === '-V') return { kind: 'version' };
  if (values['version'] && word === undefined) return { kind: 'version' };
  if (word !== undefined && !isCommandName(word)) return unknownCommand(word);
  const command = word === undefined ? undefined : await loadCommand(word);
  try {
    for (const token of tokens) if (token.kind === 'option') checkOption(token, word, command);
    if (word === undefined || command === undefined) return { kind: 'help', topic: undefined };
    if (word === 'help') {
      const [topic] = names;
      if (names.length > 1) checkNames(word, command, names);
      return topic === undefined || isCommandName(topic) ? { kind: 'help', topic } : unknownCommand(topic);
    }
    if (values['help']) return { kind: 'help', topic: word };
    checkNames(word, command, names);
    const invocation = { command: word, names, rest, ...readOptions(values, command.options) };
    const [one, other] = command.exclusive ?? [];
    if (one !== undefined && other !== undefined && invocation[one] && invocation[other])
      throw new UsageError(`--${optionTable[one].name} and --${optionTable[other].name} exclude each other`);
    return { kind: 'run', command, invocation };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { kind: 'usage', message: error.message, topic: word };
  }
}

/** Of every command: which one is meant is only known when its words are parted from the values of options. */
const parserOptions: ParseArgsOptionsConfig = Object.fromEntries(
  Object.values(optionTable).map(({ name, short, placeholder }: Option) => [
    name,
    { type: placeholder === undefined ? ('boolean' as const) : ('string' as const), ...(short && { short }) },
  ]),
);

function loadCommand(name: CommandName): Promise<Command> {
  return commandTable[name]();
}

/** What other programs call our commands. */
const otherNames: Readonly<Record<string, CommandName>> = {
  ...{
    ls: 'list',
    ps: 'status',
    health: 'status',
    page: 'ui',
    dashboard: 'ui',
    web: 'ui',
    watch: 'top',
    monit: 'top',
    cost: 'usage',
    tail: 'logs',
  },
  ...{ up: 'start', down: 'stop', rm: 'remove', update: 'version', upgrade: 'version', code: 'run', claude: 'run' },
  ...{ config: 'edit', model: 'edit', setup: 'init', new: 'init', login: 'init', check: 'doctor' },
};

function unknownCommand(word: string): ParsedArgs {
  const name = Object.hasOwn(otherNames, word) ? otherNames[word] : undefined;
  const way = name === undefined ? didYouMean(word, commandNames) : `; here it is: ./manage ${name}`;
  const message = `there is no command "${word}"${way}`;
  return { kind: 'usage', message, topic: undefined };
}

/** Cuts off the words that the command hands on to another program. */
async function splitWords(
  words: readonly string[],
): Promise<{ readonly own: readonly string[]; readonly rest: readonly string[] }> {
  const at = words.findIndex((word) => !word.startsWith('-'));
  const word = words[at];
  const command = word !== undefined && isCommandName(word) ? await loadCommand(word) : undefined;
  const handsOn = command?.handsOn;
  if (handsOn === 'all' && !['-h', '--help'].includes(words[at + 1] ?? '')) {
    return { own: words.slice(0, at + 1), rest: words.slice(at + 1) };
  }
  if (handsOn !== 'after --') return { own: words, rest: [] };
  const ownOptions = (command?.options ?? []).flatMap((key) => {
    const { name, short }: Option = optionTable[key];
    return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
  });
  const isOwn = (candidate: string) => ownOptions.includes(candidate);
  const nameAt = words.findIndex((candidate, index) => index > at && !candidate.startsWith('-'));
  const end = words.indexOf('--');
  // The name, then an option that is not ours: from there on all is for the other program.
  const foreign = words.findIndex((candidate, index) => index > nameAt && !isOwn(candidate));
  const isForeign = nameAt >= 0 && foreign >= 0 && foreign !== end && words[foreign]?.startsWith('-') === true;
  if (isForeign) return { own: words.slice(0, foreign), rest: words.slice(foreign) };
  return end < 0 ? { own: words, rest: [] } : { own: words.slice(0, end), rest: words.slice(end + 1) };
}

interface OptionToken {
  readonly name: string;
  /** With its dashes, as it was typed. */
  readonly rawName: string;
  readonly value?: string | undefined;
}

function checkOption({ name, rawName, value }: OptionToken, word: string | undefined, spec?: CommandSpec): void {
  const allowed = (spec?.options ?? (['help', 'version'] as const)).map((key): Option => optionTable[key]);
  const option = allowed.find((candidate) => candidate.name === name);
  if (option === undefined) {
    const where = word === undefined ? './manage' : `./manage ${word}`;
    const candidates = allowed.map((candidate) => `--${candidate.name}`);
    throw new UsageError(`${where} has no option ${rawName}${didYouMean(rawName, candidates)}${passOnHint(spec)}`);
  }
  if (option.placeholder === undefined) {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`);
  } else if (!value) throw new UsageError(`${rawName} needs a value: ${rawName} ${option.placeholder}`);
}

/** @param line the command with the words for the other program where they belong */
function passOnHint(spec: CommandSpec | undefined, line?: string): string {
  if (spec?.handsOn !== 'after --') return '';
  return `; put arguments for the other program after --${line === undefined ? '' : `: ${line}`}`;
}

function checkNames(word: CommandName, spec: CommandSpec, names: readonly string[]): void {
  const { names: expected, operand } = spec;
  if (expected === 'required' && names.length === 0) {
    throw new UsageError(`./manage ${word} needs ${operand?.called ?? 'the name of an instance, or "all"'}`);
  }
  if (expected === 'none' && names.length > 0)
    throw new UsageError(`./manage ${word} takes no names${passOnHint(spec)}`);
  if (operand === undefined) return;
  const { called, most, from, actions } = operand;
  if (names.length > (most ?? names.length)) {
    throw new UsageError(
      `./manage ${word} takes ${called}, not ${names.length}${passOnHint(spec, `./manage ${word} ${names[0]} -- ${names.slice(1).join(' ')}`)}`,
    );
  }
  if (most === 1 && from === undefined && names[0] === 'all') {
    throw new UsageError(`./manage ${word} takes ${called}, not "all"`);
  }
  const choices = actions ?? (typeof from === 'string' ? undefined : from);
  const chosen = actions === undefined ? names : names.slice(0, 1);
  const unknown = choices && chosen.find((name) => !choices.includes(name));
  if (choices !== undefined && unknown !== undefined)
    throw new UsageError(`./manage ${word} takes ${called}, not "${unknown}"${didYouMean(unknown, choices)}`);
}
