import type { OptionName } from './optionTable.ts';

/** A command as data: arguments are checked against it, help texts and completions are made from it. */
export interface CommandRow {
  readonly summary: string;
  readonly usage: string;
  /** Whether instance names must be given; `all` stands for every one. */
  readonly names: 'required' | 'optional' | 'none';
  /** What the words are when they are not names of instances, or how many there may be. */
  readonly operand?: {
    readonly called: string;
    readonly most?: number;
    /** What they are chosen from, for completion; names of instances when absent. A list is all that there is. */
    readonly from?: 'providers' | 'files' | 'commands' | readonly string[];
  };
  /** Words for another program: those after `--`, or all behind the command but `--help`. */
  readonly handsOn?: 'after --' | 'all';
  readonly options: readonly OptionName[];
  /** Each a command and what it does. */
  readonly examples: readonly (readonly [string, string])[];
  readonly details: string;
}

/** Options that nearly every command has. */
export const common = ['quiet', 'no-color', 'help'] as const;

/** The commands that lead Claude Code to an instance. */
export const clientCommands = {
  run: {
    summary: 'run Claude Code through an instance, which is started if needed',
    usage: 'run NAME [-- CLAUDE-ARGUMENTS...]',
    names: 'required',
    operand: { called: 'the name of one instance', most: 1 },
    handsOn: 'after --',
    options: common,
    examples: [
      ['./manage run demo', 'claude in the folder where you are, on the demo provider'],
      ['./manage run work -- -p "Say hello" --allowedTools Bash', 'what stands after -- goes to claude as it is'],
    ],
    details:
      'Address, token, models, limits and a status line stand in a settings file of this run, which beats your own settings and\nshell variables and is removed afterwards; nothing else is written. Several at once in several terminals are fine. The exit\nstatus is claude’s. CLAUDE_BIN names another claude than the one on PATH.',
  },
  env: {
    summary: 'print the variables for Claude Code, for a shell’s eval',
    usage: 'env NAME',
    names: 'required',
    operand: { called: 'the name of one instance', most: 1 },
    options: ['shell', ...common],
    examples: [
      ['eval "$(./manage env demo)"', 'bash and zsh'],
      ['./manage env demo --shell fish | source', 'fish'],
      ['./manage env demo --shell powershell | Out-String | Invoke-Expression', 'PowerShell'],
    ],
    details:
      'An "env" block in ~/.claude/settings.json beats these variables; ./manage run beats both. On a terminal the token is masked.',
  },
  use: {
    summary: 'let Claude Code in this project use an instance',
    usage: 'use NAME --project',
    names: 'required',
    operand: { called: 'the name of one instance', most: 1 },
    options: ['project', 'yes', 'dry-run', 'no-input', ...common],
    examples: [
      ['./manage use demo --project', 'shows what would change in .claude/settings.local.json, and asks'],
      ['./manage use demo --project --dry-run', 'shows it only'],
    ],
    details:
      'Writes that file only, never your own settings, and leaves its other keys as they are. ./manage unuse puts it back.',
  },
  unuse: {
    summary: 'put back what "use" has changed in this project',
    usage: 'unuse',
    names: 'none',
    options: ['project', 'dry-run', ...common],
    examples: [['./manage unuse', '.claude/settings.local.json is again what it was, byte for byte']],
    details:
      'What was changed there since in other keys stays. When somebody has changed the keys themselves, nothing is done.',
  },
  statusline: {
    summary: 'print one line for Claude Code’s status bar',
    usage: 'statusline [NAME]',
    names: 'optional',
    operand: { called: 'the name of one instance', most: 1 },
    options: ['help'],
    examples: [['./manage statusline demo < FILE', 'FILE holds what Claude Code gives to such commands']],
    details:
      'Instance, model that really answered, tokens and cost of the session, cost of today, from our own figures. Without a name\nthe instance is the one of ANTHROPIC_BASE_URL. ./manage run and use set it up.',
  },
} as const satisfies Record<string, CommandRow>;

/** The commands that tell what goes on, and whether it is as it should be. */
export const insightCommands = {
  logs: {
    summary: 'show requests and messages, rotated files included',
    usage: 'logs [all|NAME...]',
    names: 'optional',
    options: ['follow', 'errors', 'since', 'lines', 'json', ...common],
    examples: [
      ['./manage logs demo -f', 'the last lines of one instance, then what comes'],
      ['./manage logs all --errors --since 1d', 'what went wrong since yesterday, of all in the order of time'],
      ['./manage logs demo --since 2h --json', 'the lines as they are stored, for a program'],
    ],
    details:
      'Reads logs/NAME/NAME.log and the files that were rotated before it, compressed or not; files older than three days are gone.\nWith --json each line is a JSON record without a "schema". Messages from start and stop are also in `pm2 logs NAME`.',
  },
  top: {
    summary: 'watch requests, tokens, latencies, errors and cost',
    usage: 'top [all|NAME...]',
    names: 'optional',
    options: ['once', 'json', ...common],
    examples: [
      ['./manage top', 'a live view of all instances; q or Ctrl-C ends it'],
      ['./manage top demo --once', 'one look, as when there is no terminal'],
      ['./manage top --json', 'the same for a program'],
    ],
    details:
      'Requests and tokens per second are those of the last minute, latencies those of the last five: until the first event (first)\nand until the end (whole), half of the requests being quicker than p50 and 95 of 100 quicker than p95. Requests, errors and\ncost are those of today; ? is a cost whose price is unknown.',
  },
  doctor: {
    summary: 'find out what is wrong, and how to mend it',
    usage: 'doctor [all|NAME...]',
    names: 'optional',
    options: ['fix', 'online', 'json', ...common],
    examples: [
      ['./manage doctor', 'look at this machine; asks nobody else and costs nothing'],
      ['./manage doctor --fix', 'and mend what can be mended without risk'],
      ['./manage doctor demo --online', 'also ask the provider of one instance'],
    ],
    details:
      'Looks at runtime, executable, env files, folders, locks, ports, PM2, instances, disk, and settings of Claude Code that lead it\nelsewhere. --fix restricts modes, makes folders and removes locks of processes that are gone; it never stops an instance. --online\nasks each provider for its address, certificate and time, and each running instance for one request with one token of output.\nExit status 1 when something fails; a warning is no failure.',
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
} as const satisfies Record<string, CommandRow>;

/** The shells for which there is a completion. */
export const completionShells = ['bash', 'zsh', 'fish'] as const;

/** What there is to do with the service. */
const serviceActions = ['install', 'uninstall', 'status'] as const;

/** The commands for the shell, the machine, and those who help. */
export const machineCommands = {
  completion: {
    summary: 'print the completion for a shell',
    usage: 'completion bash|zsh|fish',
    names: 'required',
    operand: { called: 'one of bash, zsh, fish', most: 1, from: completionShells },
    options: ['help'],
    examples: [
      ['eval "$(./manage completion bash)"', 'in ~/.bashrc, with the path of ./manage; zsh likewise'],
      ['./manage completion fish | source', 'in ~/.config/fish/config.fish'],
    ],
    details: 'Knows commands, options, and the instances that there are when you press Tab.',
  },
  bundle: {
    summary: 'write a report for a bug report, without secrets',
    usage: 'bundle [all|NAME...]',
    names: 'optional',
    options: ['json', ...common],
    examples: [
      ['./manage bundle', 'one text file where you are; look through it before you send it'],
      ['./manage bundle demo --json', 'of one instance, as JSON on stdout'],
    ],
    details:
      'Versions, system, masked configuration, state, health, and the last errors by their kind. No key, no text of a\nconversation, no word of a provider.',
  },
  service: {
    summary: 'let the instances come back when the machine starts',
    usage: 'service install|uninstall|status',
    names: 'required',
    operand: { called: 'one of install, uninstall, status', most: 1, from: serviceActions },
    options: ['dry-run', 'yes', 'no-input', 'json', ...common],
    examples: [
      ['./manage service install --dry-run', 'show what would be done'],
      ['./manage service install', 'show it, ask, and let this machine’s init system start what runs now'],
      ['./manage service uninstall', 'take it back'],
    ],
    details:
      'Works by "pm2 save" and "pm2 startup": systemd, launchd, OpenRC and the others that PM2 knows. Needs root’s rights (sudo)\nfor the service itself; PM2 and the instances run as you. The saved list holds no key. Run it again when other instances shall\ncome back.',
  },
  pm2: {
    summary: 'run the PM2 that manages the instances',
    usage: 'pm2 PM2-ARGUMENTS...',
    names: 'none',
    handsOn: 'all',
    options: ['help'],
    examples: [
      ['./manage pm2 monit', 'PM2’s own view of the processes'],
      ['./manage pm2 save', 'keep the present instances for the next boot'],
    ],
    details:
      'The project’s own PM2 where there is one, else that on PATH, with nothing of your shell that could be a secret.',
  },
  version: {
    summary: 'show the versions of all parts',
    usage: 'version',
    names: 'none',
    options: ['json', ...common],
    examples: [['./manage version', 'this project, its executable, Node.js and PM2, and how to update']],
    details: 'Asks nobody over the network.',
  },
} as const satisfies Record<string, CommandRow>;

/** The commands that start, stop and show instances. */
export const processCommands = {
  start: {
    summary: 'start instances and wait until they answer',
    usage: 'start all|NAME [NAME...]',
    names: 'required',
    options: ['instances', 'json', ...common],
    examples: [
      ['./manage start all', 'start one proxy per envs/*.env (the first time, makes these files from the examples)'],
      ['./manage start demo work', 'start these two'],
      ['./manage start work --instances 2', 'two processes that share the port of this one'],
    ],
    details:
      'What runs already is left alone. Instances with a wrong configuration are named with file and line; the others start.\nThe number of processes stays until it is changed or the instance is stopped. Limits like MAX_CONCURRENT hold for each of them.',
  },
  stop: {
    summary: 'stop instances after their running answers',
    usage: 'stop all|NAME [NAME...]',
    names: 'required',
    options: ['json', ...common],
    examples: [
      ['./manage stop demo', 'stop one, leave the others'],
      ['./manage stop all', 'stop everything of this project'],
    ],
    details: 'Running answers may end within DRAIN_SECONDS (30) of the env file. Stopping what is stopped is no error.',
  },
  restart: {
    summary: 'stop after running answers, and start again',
    usage: 'restart all|NAME [NAME...]',
    names: 'required',
    options: ['json', ...common],
    examples: [['./manage restart demo', 'a fresh start; requests are refused until it answers again']],
    details:
      'An instance whose new configuration is wrong goes on running with the old one. ./manage reload refuses no request.',
  },
  reload: {
    summary: 'take a new build or new settings without a failed request',
    usage: 'reload all|NAME [NAME...]',
    names: 'required',
    options: ['force', 'json', ...common],
    examples: [
      ['./manage reload all', 'after an update, or a setting for which status says "restart needed"'],
      ['./manage reload demo --force', 'new processes although nothing has changed'],
    ],
    details:
      'The new process serves before the old one stops listening and ends its running answers. One that does not come up is removed,\nand the old one goes on. On macOS and Windows, and for another DRAIN_SECONDS, it is a restart.',
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
} as const satisfies Record<string, CommandRow>;

/** The commands that make, show and change env files. */
export const setUpCommands = {
  init: {
    summary: 'set an instance up, guided: provider, key, test, and the line to run',
    usage: 'init [PROVIDER]',
    names: 'optional',
    operand: { called: 'one provider', most: 1, from: 'providers' },
    options: ['as', 'port', 'region', 'url', 'model', 'stdin', 'no-input', ...common],
    examples: [
      ['./manage init', 'asks for the provider and its key, starts the instance and tests it'],
      ['./manage init openai --stdin < FILE', 'the same without a question'],
      ['./manage init demo', 'an instance that needs no key and no network'],
    ],
    details:
      'Writes envs/NAME.env for your eyes only (mode 600) and never changes one in which you have written. The key is typed unseen,\nor comes from stdin; without one, Claude Code’s own key goes on to the provider. The test costs a few tokens.',
  },
  add: {
    summary: 'make the env file of a new instance',
    usage: 'add PROVIDER',
    names: 'required',
    operand: { called: 'one provider', most: 1, from: 'providers' },
    options: ['as', 'port', 'region', 'url', 'model', 'stdin', 'no-input', 'dry-run', 'json', ...common],
    examples: [
      ['./manage add openai --as work', 'envs/work.env; asks for the key, which is not shown'],
      ['./manage add openai --stdin < FILE', 'the key from a file'],
      ['./manage add custom --url http://127.0.0.1:8000/v1 --model my-model --no-input', 'any compatible server'],
    ],
    details:
      'Starts nothing. Never changes a file in which you have written; the port is a free one unless you give it.',
  },
  list: {
    summary: 'list the instances, as their env files describe them',
    usage: 'list',
    names: 'none',
    options: ['json', ...common],
    examples: [
      ['./manage list', 'name, provider, port, models, key (masked) and what is wrong in the file'],
      ['./manage list --json', 'for a program'],
    ],
    details: 'Reads the env files only; ./manage status asks the instances themselves.',
  },
  edit: {
    summary: 'edit the env file of an instance; only what is right takes effect',
    usage: 'edit NAME',
    names: 'required',
    operand: { called: 'the name of one instance', most: 1 },
    options: common,
    examples: [['./manage edit demo', 'opens a copy in $VISUAL or $EDITOR, checks it, and puts it in place']],
    details: 'What is wrong is shown with its line, and you may go on editing. Needs a terminal.',
  },
  remove: {
    summary: 'stop an instance and put its env file aside',
    usage: 'remove NAME',
    names: 'required',
    operand: { called: 'the name of one instance', most: 1 },
    options: ['yes', 'no-input', 'dry-run', ...common],
    examples: [
      ['./manage remove work', 'asks first'],
      ['./manage remove work --yes', 'does not'],
    ],
    details: 'The file is kept as envs/NAME.env.removed-DATE-TIME; logs and statistics stay.',
  },
  providers: {
    summary: 'list the providers that are known, with models and prices',
    usage: 'providers [PROVIDER]',
    names: 'optional',
    operand: { called: 'one provider', most: 1, from: 'providers' },
    options: ['json', ...common],
    examples: [
      ['./manage providers', 'all of them'],
      ['./manage providers openai', 'one: all its models, addresses, where to get a key, what to know'],
    ],
    details: 'Context and output are tokens, prices are US dollars per million tokens on the day of the check.',
  },
  import: {
    summary: 'take over the settings of another proxy',
    usage: 'import [PATH...]',
    names: 'optional',
    operand: { called: 'files or folders', from: 'files' },
    options: ['dry-run', 'json', ...common],
    examples: [
      ['./manage import ../old-proxy --dry-run', 'show what a folder holds and would become, keys masked'],
      ['./manage import ../old-proxy/.env-work', 'one env file'],
      ['./manage import ~/.claude-code-router', 'the providers and routes of claude-code-router'],
    ],
    details:
      'Knows .env and .env-* files, the PROXIES of start-all-proxies.sh, providers.json, models.yaml or custom_models.yaml, and\nclaude-code-router’s config.json; without a path it looks where you are. Never changes a file that exists, and says line by\nline what it could not carry over, and why.',
  },
} as const satisfies Record<string, CommandRow>;

/** The command line as data, in the order of the help text. */
export const commandTable = {
  ...processCommands,
  ...insightCommands,
  ...clientCommands,
  ...machineCommands,
  ...setUpCommands,
  help: {
    summary: 'show help for a command',
    usage: 'help [COMMAND]',
    names: 'optional',
    operand: { called: 'one command', most: 1, from: 'commands' },
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
