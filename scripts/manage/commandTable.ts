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
  full: { type: 'boolean', summary: 'also tools, images, reasoning, caching, stop sequences, JSON and overflow' },
  timeout: { type: 'string', value: 'SECONDS', summary: 'how long one check may take (default 60)' },
  'key-stdin': { type: 'boolean', summary: 'read the provider’s key from stdin, for an instance that has none' },
  days: { type: 'string', value: 'N', summary: 'of the last N days, today included (default 30)' },
  by: { type: 'string', value: 'WHAT', summary: 'sum up by day (default), model, instance or session' },
  csv: { type: 'boolean', summary: 'print CSV, for a spreadsheet' },
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
  test: {
    summary: 'prove that a provider does what Claude Code needs',
    usage: 'test all|NAME [NAME...]',
    names: 'required',
    options: ['full', 'timeout', 'key-stdin', 'json', ...common],
    examples: [
      ['./manage test work', 'network, key, models and a streamed answer, for a few tokens'],
      [
        './manage test work --full',
        'everything, for about 15,000 tokens; a model that does not refuse an overflow bills that, too',
      ],
      ['./manage test work --key-stdin < FILE', 'an instance that passes on the client’s key'],
    ],
    details:
      'Sends real requests through the running instance, shows what works and what it cost, and names the QUIRK_ line to set\nwhere something does not. Exit status 1 when a check failed; a warning is no failure.',
  },
  usage: {
    summary: 'show what was used, and what it cost',
    usage: 'usage [all|NAME...]',
    names: 'optional',
    options: ['days', 'by', 'json', 'csv', ...common],
    examples: [
      ['./manage usage', 'requests, tokens and cost of each of the last 30 days'],
      ['./manage usage demo --by model --days 7', 'of one instance and week, by model'],
      ['./manage usage --by session --csv > FILE', 'for a spreadsheet'],
    ],
    details:
      'Reads state/NAME.usage.sqlite, whether the instances run or not; what runs adds its requests within a second. Costs follow\nthe price on the day of the request; ? is what no price is known for: put it into PRICES_FILE.',
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
