import { defineCommand } from '../command.ts';
import { common } from '../options.ts';

/** Stops what runs, after its running answers, and takes it off PM2's list. */
export const stop = defineCommand({
  usage: 'stop all|NAME [NAME...]',
  summary: 'stop instances after their running answers',
  names: 'required',
  options: ['json', ...common],
  examples: [
    ['./manage stop demo', 'stop one, leave the others'],
    ['./manage stop all', 'stop everything of this project'],
  ],
  details: 'Running answers may end within DRAIN_SECONDS (30) of the env file. Stopping what is stopped is no error.',

  run: async (context, invocation) => (await import('../supervisor/operations.ts')).stopInstances(context, invocation),
});
