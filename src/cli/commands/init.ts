import type { Invocation } from '../args.ts';
import type { Context } from '../context.ts';
import { planInstance, takeOver, writeInstance } from '../envs/create.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { ensureRunning } from '../supervisor/start.ts';
import { test } from './test.ts';

/** From the choice of a provider to the line that runs Claude Code on it: env file, start, test. */
export async function init(context: Context, invocation: Invocation): Promise<ExitCode> {
  const { output } = context;
  const planned = await planInstance(context, invocation);
  const { name } = planned;
  output.say(writeInstance(context, planned));

  const ofInstance = { ...invocation, names: [name] };
  if (planned.isThere) await takeOver(context, ofInstance, name);
  const config = await ensureRunning(context, ofInstance, name);
  const isKeyless = config.provider.key.source === 'client';
  const code = isKeyless ? exitCodes.ok : await test(context, ofInstance);
  if (isKeyless)
    output.say(`${name} has no key and passes on that of Claude Code; to test it: ./manage test ${name} --key-stdin`);
  if (code !== exitCodes.ok)
    output.complain(`The test failed. Change the settings with ./manage edit ${name}, then: ./manage test ${name}`);
  output.say(`Use it: ./manage run ${name}`);
  return code;
}
