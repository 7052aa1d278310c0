import { join } from 'node:path';
import { quotePosix } from '../../core/text.ts';
import { quoteFish } from '../claude/shells.ts';
import { type CommandSpec, type CommandTable, defineCommand, loadCommands } from '../command.ts';
import { exitCodes } from '../exitCodes.ts';
import { type Option, type OptionName, optionTable } from '../options.ts';
import { nameProgram } from '../terminal/output.ts';

/** The shells for which there is a completion. */
const shells = ['bash', 'zsh', 'fish'] as const;

/** Prints the completion script of a shell. */
export const completion = defineCommand({
  usage: 'completion bash|zsh|fish',
  summary: 'print the completion for a shell',
  names: 'required',
  operand: { called: 'one of bash, zsh, fish', most: 1, from: shells },
  options: ['help'],
  examples: [
    ['eval "$(./manage completion bash)"', 'in ~/.bashrc, with the path of ./manage; zsh likewise'],
    ['./manage completion fish | source', 'in ~/.config/fish/config.fish'],
  ],
  details: 'Knows commands, options, and the instances that there are when you press Tab.',

  run: async ({ root, output, commands }, { names: [name] }) => {
    const shell = shells.find((known) => known === name) ?? 'bash';
    const { isInstalled } = await import('../installation.ts');
    const script = writers[shell](root, await completionEntries(commands));
    output.print(isInstalled(root) ? nameInstalled(script, output.program) : script);
    return exitCodes.ok;
  },
});

/** The script for the commands of an installation by npm in place of ./manage. */
function nameInstalled(script: string, program: string): string {
  return nameProgram(script, program)
    .replaceAll(/^complete -c manage /gm, 'complete -c ccp -c claude-code-proxy ')
    .replaceAll(
      /(?<=^(?:#compdef|compdef _claude_code_proxy|complete -F _claude_code_proxy)) manage$/gm,
      ' ccp claude-code-proxy',
    );
}

const writers = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** An option as it is completed. */
interface OptionEntry {
  /** Without dashes. */
  readonly name: string;
  readonly short: string | undefined;
  readonly summary: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** A command as it is completed. */
interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionEntry[];
  /** What its words are chosen from. */
  readonly words: 'instances' | 'instances and all' | 'files' | readonly string[];
  /** The words of which one comes first. */
  readonly actions: readonly string[];
  /** Everything behind `--` is another program's. */
  readonly handsOn: boolean;
}

function describeOption(key: OptionName): OptionEntry {
  const { name, short, summary, placeholder, choices = [] }: Option = optionTable[key];
  return { name, short, summary, takesValue: placeholder !== undefined, choices };
}

/** The options of `./manage` itself. */
const generalOptions: readonly OptionEntry[] = [describeOption('help'), describeOption('version')];

/** The commands as the completion scripts need them. */
async function completionEntries(table: CommandTable): Promise<readonly CommandEntry[]> {
  const { presets } = await import('../../providers/index.ts');
  const names = { providers: presets.map(({ name }) => name), commands: Object.keys(table) };
  return (await loadCommands(table)).map(([name, command]) => ({
    name,
    summary: command.summary,
    options: command.options.map(describeOption),
    words: completionWords(command, names),
    actions: command.operand?.actions ?? [],
    handsOn: command.handsOn !== undefined,
  }));
}

function completionWords(
  { names, operand }: CommandSpec,
  known: Readonly<Record<'providers' | 'commands', readonly string[]>>,
): CommandEntry['words'] {
  if (names === 'none') return [];
  const { from, most } = operand ?? {};
  if (from === undefined) return most === 1 || operand?.actions !== undefined ? 'instances' : 'instances and all';
  return from === 'providers' || from === 'commands' ? known[from] : from;
}

/** A line for a POSIX shell that prints the names of the instances, as they are when it runs. */
function instanceNamesCommand(root: string): string {
  const directory = quotePosix(join(root, 'envs'));
  return `(cd ${directory} 2>/dev/null && for file in *.env; do [ -e "$file" ] && printf '%s\\n' "\${file%.env}"; done)`;
}

function flagsOf(options: readonly OptionEntry[]): string[] {
  return options.flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]);
}

function bashWords({ words, actions }: CommandEntry): string {
  if (words === 'files') return 'words=$(compgen -f -- "$word")';
  if (actions.length > 0) return `words="${actions.join(' ')} $(_claude_code_proxy_instances)"`;
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
function bashCompletion(root: string, entries: readonly CommandEntry[]): string {
  const valued = entries.flatMap(({ options }) => options).filter(({ takesValue }) => takesValue);
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
    '') words="${entries.map(({ name }) => name).join(' ')}"; options="${flagsOf(generalOptions).join(' ')}" ;;
${entries.map((entry) => `    ${entry.name}) options="${flagsOf(entry.options).join(' ')}"; ${bashWords(entry)} ;;`).join('\n')}
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

function optionLine(condition: string, { name, short, summary, takesValue, choices }: OptionEntry): string {
  const flags = `-l ${name}${short === undefined ? '' : ` -s ${short}`}`;
  const value = takesValue ? ` -x${choices.length === 0 ? '' : ` -a ${quoteFish(choices.join(' '))}`}` : '';
  return `complete -c manage -n ${quoteFish(condition)} ${flags}${value} -d ${quoteFish(summary)}`;
}

function wordLines(condition: string, { words, actions, handsOn }: CommandEntry): string[] {
  const start = `complete -c manage -n ${quoteFish(condition)}`;
  if (words === 'files') return [`${start} -F`];
  if (words === 'instances and all') return [`${start} -a 'all (__claude_code_proxy_instances)'`];
  if (actions.length > 0) return [`${start} -a '${actions.join(' ')} (__claude_code_proxy_instances)'`];
  const behindDashes = handsOn ? [`complete -c manage -n ${quoteFish(`${condition}; and ${HAS_DASHES}`)} -F`] : [];
  if (words === 'instances') return [`${start} -a '(__claude_code_proxy_instances)'`, ...behindDashes];
  return words.length === 0 ? behindDashes : [`${start} -a ${quoteFish(words.join(' '))}`];
}

const HAS_DASHES = 'contains -- -- (commandline -opc)';

/** The completion for fish. The names of instances are looked up at each Tab. */
function fishCompletion(root: string, entries: readonly CommandEntry[]): string {
  const isFirst = '__claude_code_proxy_at';
  const lines = entries.flatMap((entry) => {
    const condition = `__claude_code_proxy_at ${entry.name}`;
    return [
      `complete -c manage -n ${isFirst} -a ${entry.name} -d ${quoteFish(entry.summary)}`,
      ...entry.options.map((option) => optionLine(condition, option)),
      ...wordLines(condition, entry),
    ];
  });
  return `# Completion of ./manage for fish: ./manage completion fish | source
function __claude_code_proxy_instances
  for file in ${quoteFish(join(root, 'envs'))}/*.env
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

function zshWords({ words, actions, handsOn }: CommandEntry): string[] {
  if (handsOn && words.length === 0) return ["'*::argument:_files'"];
  if (words === 'files') return ["'*:file:_files'"];
  if (actions.length > 0) return [`'1:action:(${actions.join(' ')})'`, "'2:instance: _claude_code_proxy_instances'"];
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
function zshCompletion(root: string, entries: readonly CommandEntry[]): string {
  const described = entries.map(({ name, summary }) => quotePosix(`${name}:${summary.replaceAll(':', '\\:')}`));
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
${entries.map(caseOf).join('\n')}
  esac
}
compdef _claude_code_proxy manage`;
}
