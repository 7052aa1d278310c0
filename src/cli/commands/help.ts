import { wrapText } from '../../core/text.ts';
import { type CommandSpec, type CommandTable, defineCommand, loadCommands } from '../command.ts';
import { exitCodes } from '../exitCodes.ts';
import { type Option, type OptionName, optionTable } from '../options.ts';
import { nameProgram } from '../terminal/output.ts';

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
    output.print(await helpText(topic, commands, output.columns, output.program));
    return exitCodes.ok;
  },
});

/** How wide lines may be where no terminal says so. */
const DEFAULT_WIDTH = 80;

/** The help text of one command, or of the whole. */
export async function helpText(
  topic: string | undefined,
  table: CommandTable,
  width: number = DEFAULT_WIDTH,
  program = './manage',
): Promise<string> {
  const load = topic === undefined ? undefined : table[topic];
  return load === undefined
    ? generalHelp(await loadCommands(table), width, program)
    : commandHelp(await load(), width, program);
}

/** What the commands are for. Those that a new user needs have a line, the others of a group are named. */
const groups = {
  'Set up': ['init', 'edit'],
  Run: ['run', 'start', 'stop'],
  Watch: ['status', 'logs', 'top', 'usage'],
  Repair: ['doctor', 'test'],
} as const;

const others: Readonly<Record<keyof typeof groups, readonly string[]>> = {
  'Set up': ['set', 'key', 'providers', 'add', 'list', 'remove', 'import', 'use', 'unuse'],
  Run: ['restart', 'reload', 'service', 'env', 'statusline'],
  Watch: [],
  Repair: ['completion'],
};

/** Everything at one glance, on a terminal of 80 columns and 24 rows. */
function generalHelp(commands: readonly (readonly [string, CommandSpec])[], width: number, program: string): string {
  const known = new Map(commands);
  const placed = new Set<string>([...Object.values(groups), ...Object.values(others)].flat());
  const left = Math.max(
    ...Object.values(groups)
      .flat()
      .map((name) => name.length),
  );
  const lines = (Object.keys(groups) as (keyof typeof groups)[]).flatMap((group) => {
    const main = groups[group].flatMap((name): [string, string][] => {
      const command = known.get(name);
      return command === undefined ? [] : [[name, command.summary]];
    });
    // A command that no group has is named in the last.
    const unplaced = commands.map(([name]) => name).filter((name) => !placed.has(name));
    const more = [...others[group].filter((name) => known.has(name)), ...(group === 'Repair' ? unplaced : [])];
    return [
      group,
      ...alignPairs([...main, ...(more.length === 0 ? [] : [['also', more.join(', ')] as const])], width, left),
    ];
  });
  return [
    ...wrapText('Run Claude Code on any model provider, through a proxy on this machine.', width),
    ...wrapText(`First: ${program} init. To try it without a key: ${program} run demo`, width),
    '',
    ...lines,
    '',
    ...wrapText(`More about a command: ${program} help COMMAND; about everything: README.md, docs/`, width),
  ].join('\n');
}

function commandHelp(
  { summary, examples, usage, options, details }: CommandSpec,
  width: number,
  program: string,
): string {
  const named = (text: string) => nameProgram(text, program);
  return [
    ...wrapText(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`, width),
    '',
    'Examples',
    ...alignPairs(
      examples.map(([line, meaning]) => [named(line), named(meaning)]),
      width,
    ),
    '',
    ...wrapText(`Usage: ${program} ${usage}`, width, USAGE_INDENT),
    '',
    'Options',
    ...alignPairs(options.map(describeOption), width),
    ...(details === '' ? [] : ['', ...wrapDetails(named(details), width)]),
  ].join('\n');
}

const USAGE_INDENT = 7;

/** Paragraphs are wrapped anew; the lines of a list, which are indented, stay lines. */
function wrapDetails(details: string, width: number): string[] {
  return details.split('\n\n').flatMap((paragraph, index) => {
    const lines = paragraph.startsWith('  ') ? paragraph.split('\n') : [paragraph.replaceAll('\n', ' ')];
    return [...(index === 0 ? [] : ['']), ...lines.flatMap((line) => wrapText(line, width, listIndent(line)))];
  });
}

/** Where the second column of a list begins. */
function listIndent(line: string): number {
  return /^ {2,}\S.*? {2,}(?=\S)/.exec(line)?.[0].length ?? 0;
}

/** Two columns, the second of which is wrapped; what is too long for the first has a line of its own. */
function alignPairs(pairs: readonly (readonly [string, string])[], width: number, atLeast = 0): string[] {
  const most = Math.floor(width * LEFT_SHARE);
  const left = Math.max(...pairs.map(([text]) => text.length).filter((length) => length <= most), atLeast);
  return pairs.flatMap(([text, meaning]) => {
    if (text.length <= most) return wrapText(`  ${text.padEnd(left)}  ${meaning}`, width, left + 4);
    return [`  ${text}`, ...wrapText(`      ${meaning}`, width, 6)];
  });
}

/** How much of a line the first of two columns may take. */
const LEFT_SHARE = 0.6;

function describeOption(key: OptionName): [string, string] {
  const { name, short, placeholder, summary }: Option = optionTable[key];
  const flag = `${short === undefined ? '    ' : `-${short}, `}--${name}`;
  return [placeholder === undefined ? flag : `${flag} ${placeholder}`, summary];
}
