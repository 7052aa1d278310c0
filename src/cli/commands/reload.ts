import { defineCommand } from '../command.ts';
import { common } from '../options.ts';

/** Puts new processes in the place of those that have an older build or settings. */
export const reload = defineCommand({
  usage: 'reload all|NAME [NAME...]',
  summary: 'take a new build or new settings without a failed request',
  names: 'required',
  options: ['force', 'json', ...common],
  examples: [
    ['./manage reload all', 'after an update, or a setting for which status says "restart needed"'],
    ['./manage reload demo --force', 'new processes although nothing has changed'],
  ],
  details:
    'The new process serves before the old one stops listening and ends its running answers. One that does not come up is removed,\nand the old one goes on. On macOS and Windows, and for another DRAIN_SECONDS, it is a restart.',

  run: async (context, invocation) =>
    (await import('../supervisor/operations.ts')).reloadInstances(context, invocation),
});
