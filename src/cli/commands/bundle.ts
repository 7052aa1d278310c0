import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { callerDirectory, defineCommand } from '../command.ts';
import { exitCodes } from '../exitCodes.ts';
import { common } from '../options.ts';

/** Writes what somebody needs who looks into a fault from afar: no key, no text of a conversation, no name of the user. */
export const bundle = defineCommand({
  usage: 'bundle [all|NAME...]',
  summary: 'write a report for a bug report, without secrets',
  names: 'optional',
  options: ['json', ...common],
  examples: [
    ['./manage bundle', 'one text file where you are; look through it before you send it'],
    ['./manage bundle demo --json', 'of one instance, as JSON on stdout'],
  ],
  details:
    'Versions, system, masked configuration, state, health, and the last errors by their kind. No key, no text of a\nconversation, no word of a provider.',

  run: async (context, { names, json }) => {
    const { collectReport, reportText } = await import('../bundle/report.ts');
    const { output, environment } = context;
    const written = new Date();
    const report = await collectReport(context, names, written);
    if (json) {
      output.print(JSON.stringify(report, undefined, 2));
      return exitCodes.ok;
    }
    const moment = written.toISOString().replace(/\..*/, '').replaceAll(/[-:]/g, '').replace('T', '-');
    const file = join(callerDirectory(environment), `claude-code-proxy-report-${moment}.txt`);
    writeFileSync(file, reportText(report), { mode: 0o600, flag: 'wx' });
    output.print(file);
    output.say('Look through it before you send it; keys, names and what was said are left out.');
    return exitCodes.ok;
  },
});
