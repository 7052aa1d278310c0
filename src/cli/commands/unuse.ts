import { defineCommand } from '../command.ts';
import { common } from '../options.ts';

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
