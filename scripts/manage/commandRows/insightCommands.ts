import { type CommandRow, common } from './commandRow.ts';

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
