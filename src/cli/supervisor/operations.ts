import { chmodSync, constants, copyFileSync, existsSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { terminalSafe } from '../../core/text.ts';
import { readStamp } from '../buildStamp.ts';
import type { Context, Invocation } from '../command.ts';
import { OWNER_ONLY } from '../envs/envFiles.ts';
import { createEnvFiles } from '../envs/exampleFiles.ts';
import { type ExitCode, exitCodes, Failure, worstOf } from '../exitCodes.ts';
import { localTime } from '../terminal/output.ts';
import { showResult, showStatus } from '../views/statusView.ts';
import { type Inspection, inspect, listAll, refuseOtherUsers } from './inspect.ts';
import {
  checkNames,
  describeIgnoredEnvFiles,
  envFile,
  isSound,
  loadInstances,
  reportProblems,
  selectInstances,
} from './instances.ts';
import { withManagerLock } from './lock.ts';
import { isStoppable, stopAll } from './processes.ts';
import { reloadReason, rollingReload, setWorkerCount } from './reload.ts';
import { chooseStep, startAll } from './start.ts';
import { deriveState, isUp } from './state.ts';

/** Starts what does not run, waits until it answers, shows the status and how to use it. */
export function startInstances(context: Context, invocation: Invocation<'processes' | 'json'>): Promise<ExitCode> {
  const { root, output, pm2 } = context;
  return withManagerLock(context, invocation, async () => {
    checkNames(root, invocation.names);
    const created = await createEnvFiles(root, invocation.names, output);
    const instances = loadInstances(root);
    const keyless = instances.filter(
      ({ name, config }) => created.includes(name) && config?.provider.key.source === 'client',
    );
    if (keyless.length > 0)
      output.say(`Set a key where one is needed (${keyless.map(({ name }) => name).join(', ')}): ./manage key NAME`);
    for (const line of describeIgnoredEnvFiles(root, instances)) output.say(terminalSafe(line));
    const selected = selectInstances(root, instances, invocation.names);
    const code = reportProblems(context, selected);
    const inspections = await inspect(await pm2.list(), selected);
    const codes = await startAll(
      context,
      inspections.filter(({ instance }) => isSound(instance)),
    );
    if (invocation.processes !== undefined) {
      for (const instance of selected.filter(isSound)) {
        codes.push(await setWorkerCount(context, instance, invocation.processes));
      }
    }
    const isUnchanged = inspections.every((inspection) => ['keep', 'refuse'].includes(chooseStep(inspection)));
    const result =
      isUnchanged && invocation.processes === undefined ? inspections : await inspect(await pm2.list(), selected);
    if (isForAll(invocation)) codes.push(await (await loadPage()).startKeptPage(context));
    await showResult(context, result, invocation.json);
    return worstOf([code, ...codes]);
  });
}

/** Whether a command is for everything of the project, and so for the page, too. */
function isForAll({ names }: Invocation): boolean {
  return names.length === 0 || names.includes('all');
}

function loadPage() {
  return import('../ui/pageProcess.ts');
}

/** Stops what runs, after its running answers, and takes it off PM2's list. What does not run is no error. */
export function stopInstances(context: Context, invocation: Invocation<'json'>): Promise<ExitCode> {
  const { root, output, pm2 } = context;
  return withManagerLock(context, invocation, async () => {
    const { rows, instances } = await listAll(context);
    const selected = selectInstances(root, instances, invocation.names);
    const inspections = await inspect(rows, selected);
    refuseOtherUsers(inspections);
    for (const inspection of inspections) {
      if (!isStoppable(inspection)) output.say(`${inspection.instance.name} does not run`);
    }
    await stopAll(context, inspections.filter(isStoppable));
    if (isForAll(invocation)) await (await loadPage()).stopKeptPage(context);
    if (invocation.json) await showStatus(context, await inspect(await pm2.list(), selected), true);
    return exitCodes.ok;
  });
}

/** Stops, after running answers, and starts again. What could not come back, its configuration being wrong, is left running. */
export function restartInstances(context: Context, invocation: Invocation<'json'>): Promise<ExitCode> {
  const { root, pm2 } = context;
  return withManagerLock(context, invocation, async () => {
    const selected = selectInstances(root, loadInstances(root), invocation.names);
    const code = reportProblems(context, selected);
    const sound = selected.filter(isSound);
    const running = await inspect(await pm2.list(), sound);
    refuseOtherUsers(running);
    await stopAll(context, running.filter(isStoppable));
    const codes = await startAll(context, await inspect(await pm2.list(), sound));
    for (const { instance, workers } of running) {
      const count = workers.filter(({ row }) => row !== undefined).length;
      if (count > 1) codes.push(await setWorkerCount(context, instance, count));
    }
    await showResult(context, await inspect(await pm2.list(), selected), invocation.json);
    return worstOf([code, ...codes]);
  });
}

/** Puts new processes in the place of those that have an older build or settings; the rest is left alone. */
export function reloadInstances(context: Context, invocation: Invocation<'force' | 'json'>): Promise<ExitCode> {
  const { root, pm2, output } = context;
  return withManagerLock(context, invocation, async () => {
    const selected = selectInstances(root, loadInstances(root), invocation.names);
    const code = reportProblems(context, selected);
    const stamp = await readStamp(root);
    const reloadOne = async (inspection: Inspection): Promise<ExitCode> => {
      const { name } = inspection.instance;
      if (!isUp(deriveState(inspection))) {
        output.say(`${name} does not run; start it with: ./manage start ${name}`);
        return exitCodes.ok;
      }
      const { movedFrom } = inspection;
      const reason = movedFrom === undefined ? await reloadReason(inspection, stamp) : 'the checkout was moved';
      if (reason === undefined && !invocation.force) {
        output.say(`${name} has the present settings and build (reload it nevertheless with --force)`);
        return exitCodes.ok;
      }
      if (reason !== undefined) output.say(`${name}: ${reason}`);
      return rollingReload(context, inspection);
    };
    const inspections = await inspect(await pm2.list(), selected.filter(isSound));
    refuseOtherUsers(inspections);
    const codes = await Promise.all(inspections.map(reloadOne));
    // Who reloads uses them already.
    await showStatus(context, await inspect(await pm2.list(), selected), invocation.json);
    return worstOf([code, ...codes]);
  });
}

/** Stops an instance, after its running answers, and puts its env file aside. Logs and statistics stay. */
export async function removeInstance(
  context: Context,
  invocation: Invocation<'yes' | 'input' | 'dryRun'>,
): Promise<ExitCode> {
  const { root, output, pm2 } = context;
  const { names, yes, input, dryRun } = invocation;
  const [name = ''] = names;
  if (name === 'all') throw new Failure('./manage remove takes one instance at a time', exitCodes.usage);
  const { instances } = await listAll(context);
  selectInstances(root, instances, [name]); // an unknown name is reported before anything is asked
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
      output.say('Cancelled; nothing was changed.');
      return exitCodes.failed;
    }
  }
  return withManagerLock(context, invocation, async () => {
    const selected = selectInstances(root, (await listAll(context)).instances, [name]);
    const inspections = await inspect(await pm2.list(), selected);
    refuseOtherUsers(inspections);
    await stopAll(context, inspections.filter(isStoppable));
    for (const instance of selected) {
      const backup = putAside(envFile(instance));
      if (backup === undefined) output.say(`envs/${name}.env was gone already.`);
      else output.say(`envs/${name}.env is now envs/${backup}; to take it back: mv envs/${backup} envs/${name}.env`);
      const tokens = `envs/${name}.clients.yaml`;
      if (existsSync(join(root, tokens))) output.say(`${tokens} stays, with the tokens of its clients.`);
    }
    return exitCodes.ok;
  });
}

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
