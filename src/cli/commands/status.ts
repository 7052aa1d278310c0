import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatProblems } from '../../config/diagnostics.ts';
import { terminalSafe } from '../../core/text.ts';
import type { Invocation } from '../args.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { explain } from '../supervisor/explain.ts';
import { combineHealth } from '../supervisor/health.ts';
import { type Instance, selectInstances } from '../supervisor/instances.ts';
import { type Observation, observe, takeStock } from '../supervisor/observe.ts';
import { isUp, judge } from '../supervisor/state.ts';
import { type StatusEntry, statusJson, statusTable } from '../views/statusView.ts';

/** A word on every file of envs/ that looks like an env file and makes no instance because of its name. */
export function describeIgnoredEnvFiles(root: string, instances: readonly Instance[]): string[] {
  const directory = join(root, 'envs');
  if (!existsSync(directory)) return [];
  const used = new Set(instances.map(({ name }) => `${name}.env`));
  const ignored = readdirSync(directory).filter((file) => file.endsWith('.env') && !used.has(file));
  return ignored.map((file) => {
    return `envs/${file} is not used: a name has lower-case letters and digits, parted by single - _ or . (not "all", not "env")`;
  });
}

/** Shows all instances or the named ones; fails with 3 when one of them is down. */
export async function status(context: Context, { names, json }: Invocation): Promise<ExitCode> {
  const { root, output } = context;
  const { rows, instances } = await takeStock(context);
  const selected = selectInstances(root, instances, names);
  if (instances.length === 0) output.say('There are no env files yet; ./manage start all makes them.');
  const entries = await showStatus(context, await observe(rows, selected), json);
  if (!json) {
    for (const line of describeIgnoredEnvFiles(root, instances)) output.say(terminalSafe(line));
    for (const { remark } of entries) if (remark !== undefined) output.say(remark);
    const problems = selected.flatMap((instance) => instance.problems);
    if (problems.length > 0) output.say(formatProblems(problems));
  }
  return entries.every(({ state }) => isUp(state)) ? exitCodes.ok : exitCodes.instanceDown;
}

/** Prints the state of the instances as it was observed, as a table or as JSON. */
export async function showStatus(
  { output }: Context,
  observations: readonly Observation[],
  json: boolean,
): Promise<StatusEntry[]> {
  const entries = await Promise.all(observations.map(describeEntry));
  if (json) output.print(statusJson(entries));
  else if (entries.length > 0) output.print(statusTable(entries, output));
  return entries;
}

async function describeEntry(observation: Observation): Promise<StatusEntry> {
  const { answer, isOurs, parts } = observation;
  const state = judge(observation);
  const told = parts.flatMap((part) => part.health ?? []);
  const health = answer?.kind === 'instance' && isOurs ? combineHealth(answer.health, told) : undefined;
  return { observation, state, health, remark: await explain(observation, state) };
}
