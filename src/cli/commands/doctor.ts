import { defineCommand } from '../command.ts';
import type { Finding } from '../doctor/finding.ts';
import { exitCodes } from '../exitCodes.ts';
import { common } from '../options.ts';
import type { Output } from '../terminal/output.ts';

/** Finds out what is wrong and how to repair it; with --fix repairs what is without risk, and looks again. */
export const doctor = defineCommand({
  usage: 'doctor [all|NAME...]',
  summary: 'find out what is wrong, and how to repair it',
  names: 'optional',
  options: ['fix', 'online', 'json', ...common],
  examples: [
    ['./manage doctor', 'look at this machine; asks nobody else and costs nothing'],
    ['./manage doctor --fix', 'and repair what can be repaired without risk'],
    ['./manage doctor demo --online', 'also ask the provider of one instance'],
  ],
  details:
    'Looks at runtime, executable, env files, folders, locks, ports, PM2, instances, disk, and settings of Claude Code that lead it\nelsewhere. --fix restricts modes, makes folders and removes locks of processes that are gone; it never stops an instance. --online\nasks each provider for its address, certificate and time, and each running instance for one request with one token of output.\nExit status 1 when something fails; a warning is no failure.',

  run: async (context, { names, fix, online, json, quiet }) => {
    const { doctorJson, doctorText, runChecks, isWell, summarize } = await import('../doctor/doctor.ts');
    const { output } = context;
    const repaired = fix ? repair(output, await runChecks(context, names, false)) : [];
    if (online) output.say('Asking the providers; each instance that runs is asked for one token.');
    const findings = await runChecks(context, names, online);
    if (json) output.print(doctorJson(findings, repaired));
    else {
      const shown = quiet ? findings.filter(({ result }) => result !== 'ok') : findings;
      if (shown.length > 0) output.show(doctorText(shown, output));
      output.say(summarize(findings));
      if (!online) output.say('The providers were not asked; --online asks them, too.');
      if (!isWell(findings)) output.say('More, by what you see: docs/TROUBLESHOOTING.md');
    }
    return isWell(findings) ? exitCodes.ok : exitCodes.failed;
  },
});

/** Returns what was done, in words. */
function repair(output: Output, findings: readonly Finding[]): string[] {
  const fixes = findings.flatMap(({ fix }) => fix ?? []);
  return fixes.flatMap(({ words, run }) => {
    try {
      run();
      output.say(`Repaired: ${words}`);
      return [words];
    } catch (error) {
      output.complain(`${words} failed: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  });
}
