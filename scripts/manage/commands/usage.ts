import { join } from 'node:path';
import { firstOfDays } from '../../../src/telemetry/days.ts';
import { usageFilePath } from '../../../src/telemetry/usage/file.ts';
import type { Invocation } from '../args.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { loadInstances, selectInstances } from '../instances.ts';
import { type InstanceUsage, mergeUsage, totalLine } from '../usage/mergeUsage.ts';
import { readUsage } from '../usage/readUsage.ts';
import { usageCsv, usageJson, usageTable } from '../usage/usageView.ts';

/** Shows what instances have used in the last days; fails with 1 when the file of one cannot be read. */
export async function usage({ root, output }: Context, invocation: Invocation): Promise<ExitCode> {
  const { names, days, by, json, csv } = invocation;
  const firstDay = firstOfDays(days, Date.now());
  let exitCode: ExitCode = exitCodes.ok;
  const usages = selectInstances(root, loadInstances(root), names).map(({ name, config }): InstanceUsage => {
    const path = usageFilePath(config?.stateDirectory ?? join(root, 'state'), name);
    try {
      return { name, sums: readUsage(path, by, firstDay) };
    } catch (error) {
      output.complain(`${name}: ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      exitCode = exitCodes.failed;
      return { name, sums: [] };
    }
  });
  const lines = mergeUsage(usages, by);
  if (json) output.print(usageJson(lines, by, firstDay));
  else if (csv) output.print(usageCsv(lines, by));
  else if (lines.length === 0) output.say(`Nothing was used since ${firstDay}.`);
  else {
    output.print(usageTable(lines, by, output));
    const { checks, unpriced } = totalLine(lines);
    if (checks > 0) output.say('Checks are questions of the instances’ own whether a provider answers (health_check).');
    if (unpriced > 0) {
      output.say(
        `? is what ${unpriced} requests ${checks > 0 ? 'or checks ' : ''}cost whose price is unknown; PRICES_FILE takes prices of your own.`,
      );
    }
  }
  return exitCode;
}
