/** The command line as data: arguments are checked against it and the help texts are made from it. */

export interface OptionRow {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  /** Name of the value in the help text. */
  readonly value?: string;
  readonly summary: string;
}

export const optionTable = {
  json: { type: 'boolean', summary: 'print JSON with a "schema" number that changes when the form does' },
  quiet: { type: 'boolean', short: 'q', summary: 'say nothing but what went wrong' },
  'no-color': { type: 'boolean', summary: 'no colours (also: NO_COLOR=1, or when not on a terminal)' },
  follow: { type: 'boolean', short: 'f', summary: 'go on with what is written from now on, until Ctrl-C' },
  lines: { type: 'string', short: 'n', value: 'N', summary: 'how many lines from the end (default 20)' },
  help: { type: 'boolean', short: 'h', summary: 'show this help' },
  version: { type: 'boolean', summary: 'print the version' },
} as const satisfies Record<string, OptionRow>;

export type OptionName = keyof typeof optionTable;

export interface CommandRow {
  readonly summary: string;
  readonly usage: string;
  /** Whether instance names must be given; `all` stands for every one. */
  readonly names: 'required' | 'optional' | 'none';
  readonly options: readonly OptionName[];
  /** Each a command and what it does. */
  readonly examples: readonly (readonly [string, string])[];
  readonly details: string;
}

const common = ['quiet', 'no-color', 'help'] as const;

export const commandTable = {
  start: {
    summary: 'start instances and wait until they answer',
    usage: 'start all|NAME [NAME...]',
    names: 'required',
    options: ['json', ...common],
    examples: [
      ['./manage start all', 'start one proxy per envs/*.env (the first time, makes these files from the examples)'],
      ['./manage start demo work', 'start these two'],
    ],
    details:
      'What runs already is left alone. Instances with a wrong configuration are named with file and line; the others start.',
  },
  stop: {
    summary: 'stop instances after their running answers',
    usage: 'stop all|NAME [NAME...]',
    names: 'required',
    options: common,
    examples: [
      ['./manage stop demo', 'stop one, leave the others'],
      ['./manage stop all', 'stop everything of this project'],
    ],
    details: 'Running answers may end within DRAIN_SECONDS (30) of the env file. Stopping what is stopped is no error.',
  },
  restart: {
    summary: 'stop and start, for new settings or a new build',
    usage: 'restart all|NAME [NAME...]',
    names: 'required',
    options: ['json', ...common],
    examples: [['./manage restart demo', 'take the present settings of envs/demo.env']],
    details: 'An instance whose new configuration is wrong goes on running with the old one.',
  },
  status: {
    summary: 'show what runs, where, and how it does',
    usage: 'status [all|NAME...]',
    names: 'optional',
    options: ['json', ...common],
    examples: [
      ['./manage status', 'a table of all instances'],
      ['./manage status demo --json', 'one of them for a program'],
    ],
    details: 'Asks PM2 and every port. Exit status 3 when an instance is down.',
  },
  logs: {
    summary: 'show the last requests and messages',
    usage: 'logs [all|NAME...]',
    names: 'optional',
    options: ['follow', 'lines', ...common],
    examples: [
      ['./manage logs demo -f', 'the last lines of one instance, then what comes'],
      ['./manage logs all -n 100', 'the last hundred lines of all'],
    ],
    details: 'Reads logs/NAME/NAME.log. Messages from start and stop are also in `pm2 logs NAME`.',
  },
  help: {
    summary: 'show help for a command',
    usage: 'help [COMMAND]',
    names: 'optional',
    options: ['help'],
    examples: [['./manage help start', 'the same as ./manage start --help']],
    details: '',
  },
} as const satisfies Record<string, CommandRow>;

export type CommandName = keyof typeof commandTable;

export const commandNames = Object.keys(commandTable) as CommandName[];

export function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(commandTable, word);
}
