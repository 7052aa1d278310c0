import { defineCommand } from '../command.ts';
import { common } from '../options.ts';

/** Starts what does not run, waits until it answers, shows the status and how to use it. */
export const start = defineCommand({
  usage: 'start all|NAME [NAME...]',
  summary: 'start instances and wait until they answer',
  names: 'required',
  options: ['processes', 'json', ...common],
  examples: [
    ['./manage start all', 'start one proxy per envs/*.env (the first time, makes these files from the examples)'],
    ['./manage start demo work', 'start these two'],
    ['./manage start work --instances 2', 'two processes that share the port of this one'],
  ],
  details:
    'What runs already is left alone. Instances with a wrong configuration are named with file and line; the others start.\nThe number of processes stays until it is changed or the instance is stopped. Limits like MAX_CONCURRENT hold for each of them.',

  run: async (context, invocation) => (await import('../supervisor/operations.ts')).startInstances(context, invocation),
});
