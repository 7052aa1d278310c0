import { join } from 'node:path';
import { presets } from '../../providers/index.ts';
import type { Invocation } from '../args.ts';
import { quotePosix } from '../claude/shells.ts';
import { type CommandRow, commandNames, commandTable, completionShells } from '../commandTable.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
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

function completionWords({ names, operand }: CommandRow): CommandEntry['words'] {
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
      words: completionWords(row),
      handsOn: row.handsOn !== undefined,
    };
  });
}

/** The options of `./manage` itself. */
export const generalOptions: readonly OptionEntry[] = [describeOption('help'), describeOption('version')];

/** A line for a POSIX shell that prints the names of the instances, as they are when it runs. */
export function instanceNamesCommand(root: string): string {
  const directory = quotePosix(join(root, 'envs'));
  return `(cd ${directory} 2>/dev/null && for file in *.env; do [ -e "$file" ] && printf '%s\\n' "\${file%.env}"; done)`;
}

function flagsOf(options: readonly OptionEntry[]): string[] {
  return options.flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]);
}

function bashWords({ words }: CommandEntry): string {
  if (words === 'files') return 'words=$(compgen -f -- "$word")';
  if (words === 'instances') return 'words=$(_claude_code_proxy_instances)';
  if (words === 'instances and all') return 'words="all $(_claude_code_proxy_instances)"';
  return `words="${words.join(' ')}"`;
}

/** Behind an option with a value: its choices, or nothing that could be known. */
function valueCases(options: readonly OptionEntry[]): string[] {
  return options
    .filter(({ takesValue }) => takesValue)
    .map((option) => `    ${flagsOf([option]).join('|')}) words="${option.choices.join(' ')}"; options= ;;`);
}

/** The completion for bash 3.2 and later. The names of instances are looked up at each Tab. */
export function bashCompletion(root: string): string {
  const table = completionTable();
  const valued = table.flatMap(({ options }) => options).filter(({ takesValue }) => takesValue);
  const unique = [...new Map(valued.map((option) => [option.name, option])).values()];
  return `# Completion of ./manage for bash: eval "$(./manage completion bash)"
_claude_code_proxy_instances() ${instanceNamesCommand(root)}

_claude_code_proxy() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command= words= options= index
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    case \${COMP_WORDS[index]} in
      --) COMPREPLY=($(compgen -f -- "$word")); return ;;
      -*) ;;
      *) [ -n "$command" ] || command=\${COMP_WORDS[index]} ;;
    esac
  done
  case $command in
    '') words="${table.map(({ name }) => name).join(' ')}"; options="${flagsOf(generalOptions).join(' ')}" ;;
${table.map((entry) => `    ${entry.name}) options="${flagsOf(entry.options).join(' ')}"; ${bashWords(entry)} ;;`).join('\n')}
  esac
  case $previous in
${valueCases(unique).join('\n')}
  esac
  case $word in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
  esac
}
complete -F _claude_code_proxy manage`;
}

/** A word for fish, in which nothing has a meaning. */
function quote(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}

function optionLine(condition: string, { name, short, summary, takesValue, choices }: OptionEntry): string {
  const flags = `-l ${name}${short === undefined ? '' : ` -s ${short}`}`;
  const value = takesValue ? ` -x${choices.length === 0 ? '' : ` -a ${quote(choices.join(' '))}`}` : '';
  return `complete -c manage -n ${quote(condition)} ${flags}${value} -d ${quote(summary)}`;
}

function wordLines(condition: string, { words, handsOn }: CommandEntry): string[] {
  const start = `complete -c manage -n ${quote(condition)}`;
  if (words === 'files') return [`${start} -F`];
  if (words === 'instances and all') return [`${start} -a 'all (__claude_code_proxy_instances)'`];
  const behindDashes = handsOn ? [`complete -c manage -n ${quote(`${condition}; and ${HAS_DASHES}`)} -F`] : [];
  if (words === 'instances') return [`${start} -a '(__claude_code_proxy_instances)'`, ...behindDashes];
  return words.length === 0 ? behindDashes : [`${start} -a ${quote(words.join(' '))}`];
}

const HAS_DASHES = 'contains -- -- (commandline -opc)';

/** The completion for fish. The names of instances are looked up at each Tab. */
export function fishCompletion(root: string): string {
  const isFirst = '__claude_code_proxy_at';
  const lines = completionTable().flatMap((entry) => {
    const condition = `__claude_code_proxy_at ${entry.name}`;
    return [
      `complete -c manage -n ${isFirst} -a ${entry.name} -d ${quote(entry.summary)}`,
      ...entry.options.map((option) => optionLine(condition, option)),
      ...wordLines(condition, entry),
    ];
  });
  return `# Completion of ./manage for fish: ./manage completion fish | source
function __claude_code_proxy_instances
  for file in ${quote(join(root, 'envs'))}/*.env
    string replace -r '^.*/(.*)\\.env$' '$1' -- $file
  end
end
function __claude_code_proxy_at -a command -d 'whether the command is this one, or there is none yet'
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; and continue
    test "$word" = "$command"
    return
  end
  test -z "$command"
end
complete -c manage -f
${generalOptions.map((option) => optionLine(isFirst, option)).join('\n')}
${lines.join('\n')}`;
}

/** In descriptions these have a meaning. */
function escapeDescription(text: string): string {
  return text.replaceAll(/[\\[\]:]/g, '\\$&');
}

function specificationsOf({ name, short, summary, takesValue, choices }: OptionEntry): string[] {
  const value = takesValue ? `:${name}:(${choices.join(' ')})` : '';
  const flags = [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
  return flags.map((flag) => quotePosix(`(${flags.join(' ')})${flag}[${escapeDescription(summary)}]${value}`));
}

function zshWords({ words, handsOn }: CommandEntry): string[] {
  if (handsOn && words.length === 0) return ["'*::argument:_files'"];
  if (words === 'files') return ["'*:file:_files'"];
  if (words === 'instances')
    return ["'1:instance: _claude_code_proxy_instances'", ...(handsOn ? ["'*:file:_files'"] : [])];
  if (words === 'instances and all') return ["'*:instance: _claude_code_proxy_instances all'"];
  return words.length === 0 ? [] : [`'1:name:(${words.join(' ')})'`];
}

function caseOf(entry: CommandEntry): string {
  const parts = [...entry.options.flatMap(specificationsOf), ...zshWords(entry)];
  return `    ${entry.name}) _arguments -s ${parts.join(' ')} ;;`;
}

/** The completion for zsh. The names of instances are looked up at each Tab. */
export function zshCompletion(root: string): string {
  const table = completionTable();
  const described = table.map(({ name, summary }) => quotePosix(`${name}:${summary.replaceAll(':', '\\:')}`));
  return `#compdef manage
# Completion of ./manage for zsh, after compinit: eval "$(./manage completion zsh)"
_claude_code_proxy_instances() {
  local -a names
  names=(\${(f)"$( ${instanceNamesCommand(root)} )"} $1)
  compadd -a names
}

_claude_code_proxy() {
  local curcontext=$curcontext state line
  local -a commands
  commands=(${described.join(' ')})
  _arguments -C ${generalOptions.flatMap(specificationsOf).join(' ')} '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands; return ;;
    argument) ;;
    *) return ;;
  esac
  case $line[1] in
${table.map(caseOf).join('\n')}
  esac
}
compdef _claude_code_proxy manage`;
}

const writers = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** Prints the completion script of a shell. */
export async function completion({ root, output }: Context, { names: [name] }: Invocation): Promise<ExitCode> {
  const shell = completionShells.find((known) => known === name) ?? 'bash';
  output.print(writers[shell](root));
  return exitCodes.ok;
}
