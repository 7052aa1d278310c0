import { defineCommand } from '../command.ts';
import { common } from '../options.ts';

/** Writes an instance into the settings of the project where the user is. */
export const use = defineCommand({
  usage: 'use NAME --project',
  summary: 'let Claude Code in this project use an instance',
  names: 'required',
  operand: { called: 'the name of one instance', most: 1 },
  options: ['project', 'yes', 'dryRun', 'input', ...common],
  examples: [
    ['./manage use demo --project', 'shows what would change in .claude/settings.local.json, and asks'],
    ['./manage use demo --project --dry-run', 'shows it only'],
  ],
  details:
    'Writes that file only, never your own settings, and leaves its other keys as they are. ./manage unuse puts it back.',

  run: async (context, invocation) => (await import('../claude/useInProject.ts')).useInProject(context, invocation),
});
