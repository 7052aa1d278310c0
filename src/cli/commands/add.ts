import { Secret } from '../../core/secret.ts';
import type { Invocation } from '../args.ts';
import type { Context } from '../context.ts';
import { envText, planInstance, writeInstance } from '../envs/create.ts';
import { envPath } from '../envs/files.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';

/** The number in the `schema` field: changes when a program that reads the JSON has to. */
const SCHEMA = 1;

/** Makes the env file of a new instance and starts nothing. */
export async function add(context: Context, invocation: Invocation): Promise<ExitCode> {
  const { output } = context;
  const instance = await planInstance(context, invocation);
  const { name, port, preset, key } = instance;
  const file = envPath(name);
  if (invocation.dryRun) {
    const masked = key === '' ? '' : new Secret(key).masked;
    output.say(`Would write ${file}:`);
    output.print(envText({ ...instance, key: masked }).trimEnd());
    return exitCodes.ok;
  }
  output.say(`${writeInstance(context, instance)} Start it: ./manage start ${name}`);
  if (invocation.json)
    output.print(JSON.stringify({ schema: SCHEMA, name, port, provider: preset.name, env_file: file }));
  return exitCodes.ok;
}
