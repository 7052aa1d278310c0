import { join, resolve } from 'node:path';
import { callerDirectory, defineCommand } from '../command.ts';
import { exitCodes } from '../exitCodes.ts';
import { common } from '../options.ts';

/** Writes what somebody needs who looks into a fault from afar, without what is nobody else's business. */
export const bundle = defineCommand({
  usage: 'bundle [all|NAME...]',
  summary: 'write a report for a bug report, without secrets',
  names: 'optional',
  options: ['json', 'outputFile', ...common],
  examples: [
    ['./manage bundle', 'one text file in state/, which git does not see; look through it before you send it'],
    ['./manage bundle demo --output ~/report.txt', 'of one instance, and where you want it'],
    ['./manage bundle demo --json', 'as JSON on stdout'],
  ],
  details:
    'Versions, system, masked configuration, state, health, and the last errors by their kind. Left out are keys with their last\ncharacters, conversations, the words of providers, your paths, and the names of you and this machine. Names of instances and\nmodels and the addresses of providers stay.',

  run: async (context, { names, json, outputFile }) => {
    const { collectReport, reportText } = await import('../bundle/report.ts');
    const { output, root, environment } = context;
    const written = new Date();
    const report = await collectReport(context, names, written);
    if (json) {
      output.print(JSON.stringify(report, undefined, 2));
      return exitCodes.ok;
    }
    const moment = written.toISOString().replace(/\..*/, '').replaceAll(/[-:]/g, '').replace('T', '-');
    const file =
      outputFile === undefined
        ? join(root, 'state', `claude-code-proxy-report-${moment}.txt`)
        : resolve(callerDirectory(environment), outputFile);
    const { createPrivateFile } = await import('../envs/envFiles.ts');
    createPrivateFile(file, file, reportText(report));
    output.print(file);
    output.say(
      'Look through it before you send it: names of instances and addresses of providers are in it, keys are not.',
    );
    return exitCodes.ok;
  },
});
