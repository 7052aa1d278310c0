import { defineCommand } from '../command.ts';
import { common } from '../options.ts';

/** Stops an instance and puts its env file aside. */
export const remove = defineCommand({
  usage: 'remove NAME',
  summary: 'stop an instance and put its env file aside',
  names: 'required',
  operand: { called: 'the name of one instance', most: 1 },
  options: ['yes', 'input', 'dryRun', ...common],
  examples: [
    ['./manage remove work', 'asks first'],
    ['./manage remove work --yes', 'does not'],
  ],
  details: 'The file is kept as envs/NAME.env.removed-DATE-TIME; logs and statistics stay.',

  run: async (context, invocation) => (await import('../supervisor/operations.ts')).removeInstance(context, invocation),
});
