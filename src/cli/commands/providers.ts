import { presets } from '../../providers/index.ts';
import type { Invocation } from '../args.ts';
import type { Context } from '../context.ts';
import { presetNamed } from '../envs/create.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { presetDetails, presetsJson, presetTable } from '../views/presetView.ts';

/** Shows the providers that are known: all in a table, or one with everything that is known about it. */
export async function providers({ output }: Context, { names: [name], json }: Invocation): Promise<ExitCode> {
  const preset = name === undefined ? undefined : presetNamed(name);
  if (json) output.print(presetsJson(preset === undefined ? presets : [preset]));
  else if (preset !== undefined) output.print(presetDetails(preset, output));
  else output.print(presetTable(presets, output));
  return exitCodes.ok;
}
