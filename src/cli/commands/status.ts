import { defineCommand } from '../command.ts';
import { common } from '../options.ts';

/** Shows all instances or the named ones; fails with 3 when one of them is down. */
export const status = defineCommand({
  usage: 'status [all|NAME...]',
  summary: 'show what runs, where, and how it does',
  names: 'optional',
  options: ['json', ...common],
  examples: [
    ['./manage status', 'a table of all instances'],
    ['./manage status demo --json', 'one of them for a program'],
  ],
  details: 'Asks PM2 and every port. Exit status 3 when an instance is down.',

  run: async (context, invocation) => (await import('../views/statusView.ts')).showState(context, invocation),
});
