import { defineCommand } from '../command.ts';
import { common } from '../options.ts';

/** Shows what instances have used in the last days; fails with 1 when the file of one cannot be read. */
export const usage = defineCommand({
  usage: 'usage [all|NAME...]',
  summary: 'show what was used, and what it cost',
  names: 'optional',
  options: ['days', 'day', 'fromDay', 'toDay', 'by', 'postgres', 'json', 'csv', ...common],
  exclusive: ['json', 'csv'],
  examples: [
    ['./manage usage', 'requests, tokens and cost of each of the last 30 days'],
    ['./manage usage demo --by model --days 7', 'of one instance and week, by model'],
    ['./manage usage --day yesterday --by project', 'what yesterday cost, by the folder in which Claude Code worked'],
    ['./manage usage --postgres --by instance', 'of all machines that share a database (USAGE_POSTGRES_URL)'],
    ['./manage usage --by session --csv > FILE', 'for a spreadsheet'],
  ],
  details:
    'Reads state/NAME.usage.sqlite, whether the instances run or not; what runs adds its requests within a second. Costs follow\nthe price on the day of the request; ? is what no price is known for: put it into PRICES_FILE.\nAn intent is what a request was for: chat, or what Claude Code asks beside it, such as title, subagent and safety_check (auto\nmode). A side is who was asked: the model for the client, or one that describes pictures (vision). `claude --resume` takes the ids of sessions. Folders are kept as hashes unless USAGE_PROJECTS=names; those that Claude\nCode knows on this machine are shown by their names.',

  run: async (context, invocation) => (await import('../usage/usageView.ts')).showUsage(context, invocation),
});
