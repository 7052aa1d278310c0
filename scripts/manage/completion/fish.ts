import { join } from 'node:path';
import { type CommandEntry, completionTable, generalOptions, type OptionEntry } from './completionTable.ts';

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
