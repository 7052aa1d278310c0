import { defineCommand } from '../command.ts';
import { common } from '../options.ts';

/** Edits the env file of an instance by way of a copy. */
export const edit = defineCommand({
  usage: 'edit NAME',
  summary: 'edit the env file of an instance; only what is right takes effect',
  names: 'required',
  operand: { called: 'the name of one instance', most: 1 },
  options: common,
  examples: [['./manage edit demo', 'opens a copy in $VISUAL or $EDITOR, checks it, and puts it in place']],
  details: 'What is wrong is shown with its line, and you may go on editing. Needs a terminal.',

  run: async (context, invocation) => (await import('../envs/editInstance.ts')).editInstance(context, invocation),
});
