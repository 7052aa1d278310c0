import { defineCommand } from '../command.ts';
import { common } from '../options.ts';

/** Stops, after running answers, and starts again. */
export const restart = defineCommand({
  usage: 'restart all|NAME [NAME...]',
  summary: 'stop after running answers, and start again',
  names: 'required',
  options: ['json', ...common],
  examples: [['./manage restart demo', 'a fresh start; requests are refused until it answers again']],
  details:
    'An instance whose new configuration is wrong goes on running with the old one. ./manage reload refuses no request.',

  run: async (context, invocation) =>
    (await import('../supervisor/operations.ts')).restartInstances(context, invocation),
});
