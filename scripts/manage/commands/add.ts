import { Secret } from '../../../src/core/secret.ts';
import type { Invocation } from '../args.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { envPath } from '../setUp/instanceNames.ts';
import { envText } from '../setUp/newInstance.ts';
import { planInstance } from '../setUp/planInstance.ts';
import { writeInstance } from '../setUp/writeInstance.ts';

/** Makes the env file of a new instance and starts nothing. */
export async function add(context: Context, invocation: Invocation): Promise<ExitCode> {
  const { output } = context;
  const instance = await planInstance(context, invocation);
  const { name, port, preset, key } = instance;
  if (invocation.dryRun) {
    const masked = key === '' ? '' : new Secret(key).masked;
    output.say(`Would write ${envPath(name)}:`);
    output.print(envText({ ...instance, key: masked }).trimEnd());
    return exitCodes.ok;
  }
  writeInstance(context, instance);
  output.say(`Made ${envPath(name)} for ${preset.title} on port ${port}. Start it: ./manage start ${name}`);
  return exitCodes.ok;
}
