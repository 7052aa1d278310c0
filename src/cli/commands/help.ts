import { type CommandName, type CommandRow, commandNames, commandTable } from '../commandTable.ts';
import { exitCodeRows } from '../exitCodes.ts';
import { type OptionRow, optionTable } from '../optionTable.ts';

function alignPairs(pairs: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...pairs.map(([left]) => left.length));
  return pairs.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

function describeOption(name: keyof typeof optionTable): [string, string] {
  const row: OptionRow = optionTable[name];
  const short = row.short === undefined ? '    ' : `-${row.short}, `;
  return [`${short}--${name}${row.value === undefined ? '' : ` ${row.value}`}`, row.summary];
}

function generalHelp(): string {
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
    ...alignPairs(commandNames.map((name) => [commandTable[name].usage, commandTable[name].summary])),
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

function commandHelp(name: CommandName): string {
  const row: CommandRow = commandTable[name];
  return [
    `${row.summary[0]?.toUpperCase()}${row.summary.slice(1)}.`,
    '',
    'Examples',
    ...alignPairs(row.examples),
    '',
    `Usage: ./manage ${row.usage}`,
    '',
    'Options',
    ...alignPairs(row.options.map(describeOption)),
    ...(row.details === '' ? [] : ['', row.details]),
  ].join('\n');
}

/** The help text of one command, or of the whole. */
export function helpText(topic: CommandName | undefined): string {
  return topic === undefined ? generalHelp() : commandHelp(topic);
}
