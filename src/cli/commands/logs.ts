import { defineCommand } from '../command.ts';
import { common } from '../options.ts';

/** Shows lines of the instances' logs in the order of time, and with --follow what comes. */
export const logs = defineCommand({
  usage: 'logs [all|NAME...]',
  summary: 'show requests and messages, rotated files included',
  names: 'optional',
  options: ['follow', 'errors', 'since', 'id', 'lines', 'json', ...common],
  examples: [
    ['./manage logs demo -f', 'the last lines of one instance, then what comes'],
    ['./manage logs all --errors --since 1d', 'what went wrong since yesterday, of all in the order of time'],
    ['./manage logs --id req_0123456789abcdef01234567', 'the request that an error message names'],
    ['./manage logs demo --since 2h --json', 'the lines as they are stored, for a program'],
  ],
  details:
    'Reads logs/NAME/NAME.log and the files that were rotated before it, compressed or not; files older than three days are gone.\nThe intent of a request is what it was for; side is one that Claude Code sends beside the conversation, without tools, such as to read a\nfetched page. in_flight counts the answers that were running. With --json each line is a JSON record without a "schema". Messages from start and stop are also in `pm2 logs NAME`.',

  run: async (context, invocation) => (await import('../logs/showLogs.ts')).showLogs(context, invocation),
});
