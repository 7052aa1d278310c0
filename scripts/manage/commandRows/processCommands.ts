import { type CommandRow, common } from './commandRow.ts';

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
