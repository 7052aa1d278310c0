import { defineCommand } from '../command.ts';
import { common } from '../options.ts';

/** Writes an instance into the settings of the project where the user is. */
export const use = defineCommand({
  usage: 'use NAME',
  summary: 'let Claude Code in this project use an instance',
  names: 'required',
  operand: { called: 'the name of one instance', most: 1 },
  options: ['project', 'yes', 'dryRun', 'verbose', 'input', ...common],
  examples: [
    ['./manage use demo', 'shows what would change in .claude/settings.local.json, and asks'],
    ['./manage use demo --dry-run --verbose', 'shows it only, each value'],
  ],
  details:
    'Writes that file only, never your own settings, and leaves its other keys as they are. ./manage unuse puts it back.\nWarns where git does not ignore the file. --project may be left out, as there is no other place.',

  run: async (context, invocation) => (await import('../claude/useInProject.ts')).useInProject(context, invocation),
});

/** Puts the project's settings back to what they were before `use`. */
export const unuse = defineCommand({
  usage: 'unuse',
  summary: 'put back what "use" has changed in this project',
  names: 'none',
  options: ['project', 'dryRun', ...common],
  examples: [['./manage unuse', '.claude/settings.local.json is again what it was, byte for byte']],
  details:
    'What was changed there since in other keys stays. When somebody has changed the keys themselves, nothing is done.',

  run: async (context, invocation) => (await import('../claude/useInProject.ts')).restoreProject(context, invocation),
});
