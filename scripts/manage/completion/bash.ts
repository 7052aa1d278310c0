import { type CommandEntry, completionTable, generalOptions, type OptionEntry } from './completionTable.ts';
import { instanceNamesCommand } from './instanceNames.ts';

function flagsOf(options: readonly OptionEntry[]): string[] {
  return options.flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]);
}

function wordsOf({ words }: CommandEntry): string {
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
${table.map((entry) => `    ${entry.name}) options="${flagsOf(entry.options).join(' ')}"; ${wordsOf(entry)} ;;`).join('\n')}
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
