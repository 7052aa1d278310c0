import { defineCommand } from '../command.ts';
import { common } from '../options.ts';

/** Takes over what other proxies have in the given places, or where the user is. */
export const importSettings = defineCommand({
  usage: 'import [PATH...]',
  summary: 'take over the settings of another proxy',
  names: 'optional',
  operand: { called: 'files or folders', from: 'files' },
  options: ['dryRun', 'json', ...common],
  examples: [
    ['./manage import ../old-proxy --dry-run', 'show what a folder holds and would become, keys masked'],
    ['./manage import ../old-proxy/.env-work', 'one env file'],
    ['./manage import ~/claude-code-proxy', 'what lies in envs/ of a clone of this project, as it is'],
    ['./manage import ~/.claude-code-router', 'the providers and routes of claude-code-router'],
  ],
  details:
    'Knows .env and .env-* files, the PROXIES of start-all-proxies.sh, providers.json, models.yaml or custom_models.yaml, and\nclaude-code-router’s config.json; without a path it looks where you are. Never changes a file in\nwhich you have written (a copy of an example that has the name or port of a new instance makes way), and says line by line what\nit could not carry over, and why.',

  run: async (context, invocation) => (await import('../import/importSettings.ts')).importSettings(context, invocation),
});
