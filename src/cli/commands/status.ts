import { defineCommand } from '../command.ts';
import { common } from '../options.ts';
import { conditionTable } from '../supervisor/condition.ts';

const states = Object.entries(conditionTable).map(
  ([state, { meaning, isWrong }]) => `  ${state.padEnd(13)}  ${meaning}${isWrong ? ' (exit status 3)' : ''}`,
);

/** Shows all instances or the named ones; fails with 3 when something is wrong with one of them. */
export const status = defineCommand({
  usage: 'status [all|NAME...]',
  summary: 'show what runs, where, and how it does',
  names: 'optional',
  options: ['watch', 'allUp', 'json', ...common],
  examples: [
    ['./manage status', 'a table of all instances'],
    ['./manage status demo --json', 'one of them for a program'],
    ['./manage status --all-up', 'for a monitor: fails unless every instance runs'],
  ],
  details: `Asks PM2 and every port. What keeps an instance from being ready stands in full below the table, with the command that\nhelps. What is stopped or was never started is not wrong. The states:\n\n${states.join('\n')}`,

  run: async (context, invocation) => (await import('../views/statusView.ts')).showState(context, invocation),
});
