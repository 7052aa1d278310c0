import type { Invocation } from '../args.ts';
import type { Context } from '../context.ts';
import { doctorJson, doctorText, isWell, runChecks, summarize } from '../doctor/doctor.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';

/** Tells what is wrong and how to mend it; with --fix mends what is without risk, and looks again. */
export async function doctor(context: Context, invocation: Invocation): Promise<ExitCode> {
  const { output } = context;
  const { names, fix, online, json, quiet } = invocation;
  const mended = fix ? await mend(context, names) : [];
  if (online) output.say('Asking the providers; each instance that runs is asked for one token.');
  const findings = await runChecks(context, names, online);
  if (json) output.print(doctorJson(findings, mended));
  else {
    const shown = quiet ? findings.filter(({ result }) => result !== 'ok') : findings;
    if (shown.length > 0) output.print(doctorText(shown, output.paint));
    output.say(summarize(findings));
    if (!online) output.say('The providers were not asked; --online asks them, too.');
    if (!isWell(findings)) output.say('More, by what you see: docs/TROUBLESHOOTING.md');
  }
  return isWell(findings) ? exitCodes.ok : exitCodes.failed;
}

/** Gives what was done, in words. */
async function mend(context: Context, names: readonly string[]): Promise<string[]> {
  const { output } = context;
  const fixes = (await runChecks(context, names, false)).flatMap(({ fix }) => fix ?? []);
  return fixes.flatMap(({ words, run }) => {
    try {
      run();
      output.say(`Mended: ${words}`);
      return [words];
    } catch (error) {
      output.complain(`${words} failed: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  });
}
