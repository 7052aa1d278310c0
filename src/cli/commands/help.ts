import { type CommandSpec, type CommandTable, defineCommand, loadCommands } from '../command.ts';
import { exitCodeRows, exitCodes } from '../exitCodes.ts';
import { type Option, type OptionName, optionTable } from '../options.ts';

/** Shows the help of one command, or of the whole. */
export const help = defineCommand({
  usage: 'help [COMMAND]',
  summary: 'show help for a command',
  names: 'optional',
  operand: { called: 'one command', most: 1, from: 'commands' },
  options: ['help'],
  examples: [['./manage help start', 'the same as ./manage start --help']],
  details: '',

  run: async ({ output, commands }, { names: [topic] }) => {
    output.show(await helpText(topic, commands));
    return exitCodes.ok;
  },
});

/** The help text of one command, or of the whole. */
export async function helpText(topic: string | undefined, table: CommandTable): Promise<string> {
  const load = topic === undefined ? undefined : table[topic];
  return load === undefined ? generalHelp(await loadCommands(table)) : commandHelp(await load());
}

function generalHelp(commands: readonly (readonly [string, CommandSpec])[]): string {
  return [
    'Run Claude Code on any model provider: one proxy per env file, each on its own port, under PM2.',
    '',
    'Examples',
    ...alignPairs([
      ['./manage init', 'choose a provider, type its key, and get the line to run'],
      ['./manage start all', 'start one proxy per envs/*.env'],
      ['./manage status', 'what runs, on which port, with which models'],
      ['./manage logs demo -f', 'see the requests of one instance'],
      ['./manage stop all', 'stop everything'],
    ]),
    '',
    'Commands',
    ...alignPairs(commands.map(([, { usage, summary }]) => [usage, summary])),
    '',
    'Options',
    ...alignPairs([describeOption('help'), describeOption('version')]),
    '',
    'Exit status',
    ...alignPairs(exitCodeRows.map(([code, meaning]) => [String(code), meaning])),
    '',
    'More about a command: ./manage COMMAND --help. More about everything: README.md and docs/.',
  ].join('\n');
}

function commandHelp({ summary, examples, usage, options, details }: CommandSpec): string {
  return [
    `${summary[0]?.toUpperCase()}${summary.slice(1)}.`,
    '',
    'Examples',
    ...alignPairs(examples),
    '',
    `Usage: ./manage ${usage}`,
    '',
    'Options',
    ...alignPairs(options.map(describeOption)),
    ...(details === '' ? [] : ['', details]),
  ].join('\n');
}

function alignPairs(pairs: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...pairs.map(([left]) => left.length));
  return pairs.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

function describeOption(key: OptionName): [string, string] {
  const { name, short, placeholder, summary }: Option = optionTable[key];
  const flag = `${short === undefined ? '    ' : `-${short}, `}--${name}`;
  return [placeholder === undefined ? flag : `${flag} ${placeholder}`, summary];
}
