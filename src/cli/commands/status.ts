import { formatProblems } from '../../config/describe.ts';
import { terminalSafe } from '../../core/text.ts';
import type { Invocation } from '../args.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { diagnosisLine } from '../supervisor/diagnosis.ts';
import { combineHealth } from '../supervisor/health.ts';
import { type Inspection, inspect, listAll } from '../supervisor/inspect.ts';
import { describeIgnoredEnvFiles, selectInstances } from '../supervisor/instances.ts';
import { deriveState, isUp } from '../supervisor/state.ts';
import { type StatusEntry, statusJson, statusTable } from '../views/statusView.ts';

/** Shows all instances or the named ones; fails with 3 when one of them is down. */
export async function status(context: Context, { names, json }: Invocation): Promise<ExitCode> {
  const { root, output } = context;
  const { rows, instances } = await listAll(context);
  const selected = selectInstances(root, instances, names);
  if (instances.length === 0) output.say('There are no env files yet; ./manage start all makes them.');
  const entries = await showStatus(context, await inspect(rows, selected), json);
  if (!json) {
    for (const line of describeIgnoredEnvFiles(root, instances)) output.say(terminalSafe(line));
    for (const { hint } of entries) if (hint !== undefined) output.say(hint);
    const problems = selected.flatMap((instance) => instance.problems);
    if (problems.length > 0) output.say(formatProblems(problems));
  }
  return entries.every(({ state }) => isUp(state)) ? exitCodes.ok : exitCodes.instanceDown;
}

/** Prints the state of the instances as it was found, as a table or as JSON. */
export async function showStatus(
  { output }: Context,
  inspections: readonly Inspection[],
  json: boolean,
): Promise<StatusEntry[]> {
  const entries = await Promise.all(inspections.map(describeEntry));
  if (json) output.print(statusJson(entries));
  else if (entries.length > 0) output.print(statusTable(entries, output));
  return entries;
}

async function describeEntry(inspection: Inspection): Promise<StatusEntry> {
  const { answer, isOurs, workers } = inspection;
  const state = deriveState(inspection);
  const reports = workers.flatMap((worker) => worker.health ?? []);
  const health = answer?.kind === 'instance' && isOurs ? combineHealth(answer.health, reports) : undefined;
  return { inspection, state, health, hint: await diagnosisLine(inspection, state) };
}
