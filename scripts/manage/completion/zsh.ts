import { quotePosix } from '../client/shells.ts';
import { type CommandEntry, completionTable, generalOptions, type OptionEntry } from './completionTable.ts';
import { instanceNamesCommand } from './instanceNames.ts';

/** In descriptions these have a meaning. */
function escapeDescription(text: string): string {
  return text.replaceAll(/[\\[\]:]/g, '\\$&');
}

function specificationsOf({ name, short, summary, takesValue, choices }: OptionEntry): string[] {
  const value = takesValue ? `:${name}:(${choices.join(' ')})` : '';
  const flags = [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
  return flags.map((flag) => quotePosix(`(${flags.join(' ')})${flag}[${escapeDescription(summary)}]${value}`));
}

function wordsOf({ words, handsOn }: CommandEntry): string[] {
  if (handsOn && words.length === 0) return ["'*::argument:_files'"];
  if (words === 'files') return ["'*:file:_files'"];
  if (words === 'instances')
    return ["'1:instance: _claude_code_proxy_instances'", ...(handsOn ? ["'*:file:_files'"] : [])];
  if (words === 'instances and all') return ["'*:instance: _claude_code_proxy_instances all'"];
  return words.length === 0 ? [] : [`'1:name:(${words.join(' ')})'`];
}

function caseOf(entry: CommandEntry): string {
  const parts = [...entry.options.flatMap(specificationsOf), ...wordsOf(entry)];
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
