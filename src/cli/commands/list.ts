import { defineCommand } from '../command.ts';
import { common } from '../options.ts';

/** Lists the instances as their env files describe them, without asking PM2 or a port. */
export const list = defineCommand({
  usage: 'list',
  summary: 'list the instances, as their env files describe them',
  names: 'none',
  options: ['json', ...common],
  examples: [
    ['./manage list', 'name, provider, port, models, key (masked) and what is wrong in the file'],
    ['./manage list --json', 'for a program'],
  ],
  details: 'Reads the env files only; ./manage status asks the instances themselves.',

  run: async (context, invocation) => (await import('../views/listView.ts')).listInstances(context, invocation),
});
