import { chmodSync, constants, copyFileSync, existsSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import type { Invocation } from '../args.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes, Failure } from '../exitCodes.ts';
import { inspect, listAll } from '../supervisor/inspect.ts';
import { envFile, selectInstances } from '../supervisor/instances.ts';
import { withManagerLock } from '../supervisor/lock.ts';
import { isStoppable, stopInstances } from '../supervisor/stop.ts';
import { localTime } from '../terminal/output.ts';

/** Stops an instance, after its running answers, and puts its env file aside. Logs and statistics stay. */
export async function remove(context: Context, invocation: Invocation): Promise<ExitCode> {
  const { root, output, pm2 } = context;
  const { names, yes, input, dryRun } = invocation;
  const [name = ''] = names;
  if (name === 'all') throw new Failure('./manage remove takes one instance at a time', exitCodes.usage);
  const { instances } = await listAll(context);
  selectInstances(root, instances, [name]); // an unknown name is told before anything is asked
  if (dryRun) {
    output.say(`Would stop ${name} and keep envs/${name}.env under another name.`);
    return exitCodes.ok;
  }
  if (!yes) {
    const prompter = input ? context.prompter : undefined;
    if (prompter === undefined) {
      throw new Failure(
        `there is no terminal to ask on; to do it without: ./manage remove ${name} --yes`,
        exitCodes.usage,
      );
    }
    if (!(await prompter.confirm(`Stop ${name} and put envs/${name}.env aside?`))) {
      output.say('Nothing is done.');
      return exitCodes.failed;
    }
  }
  return withManagerLock(context, invocation, async () => {
    const selected = selectInstances(root, (await listAll(context)).instances, [name]);
    const observations = await inspect(await pm2.list(), selected);
    await stopInstances(context, observations.filter(isStoppable));
    for (const instance of selected) {
      const backup = putAside(envFile(instance));
      if (backup === undefined) output.say(`envs/${name}.env was gone already.`);
      else output.say(`envs/${name}.env is now envs/${backup}; to take it back: mv envs/${backup} envs/${name}.env`);
    }
    return exitCodes.ok;
  });
}

const OWNER_ONLY = 0o600;

/** Gives a file the time of its removal as a further part of its name, which is returned; undefined when there is none. */
function putAside(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  const time = localTime(new Date().toISOString()).replaceAll(/[-:]/g, '').replace(' ', '-');
  const backup = `${file}.removed-${time}`;
  copyFileSync(file, backup, constants.COPYFILE_EXCL);
  chmodSync(backup, OWNER_ONLY);
  rmSync(file);
  return basename(backup);
}
